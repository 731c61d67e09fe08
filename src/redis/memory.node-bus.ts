import { newRandomId } from '../common/index.js';
import { NodeBus } from './node-bus.js';

/** The bus of the one process that has nobody to tell. */
export class MemoryNodeBus extends NodeBus {
  override readonly nodeId = newRandomId();
  override readonly isShared = false;
  override readonly isHealthy = true;

  override async publish(): Promise<void> {}

  override async flush(): Promise<void> {}

  override subscribe(): void {}

  override onReconnected(): void {}
}

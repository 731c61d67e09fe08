import type { Engine } from './engine.js';
import type { RedisCommands } from './redis-commands.js';
import { redisUnavailable } from './redis-errors.js';
import type { RedisNodeBus } from './redis.node-bus.js';

export interface RedisHealthReport {
  status: 'up' | 'down';
  engine: Engine['kind'];
  /** For an operator. */
  detail: string;
}

/**
 * The readiness probes of Redis: commands are answered, and a message crosses the bus and returns.
 */
export class RedisHealth {
  constructor(private readonly parts: { commands: RedisCommands; bus: RedisNodeBus } | null) {}

  get isUp(): boolean {
    return this.check().status === 'up';
  }

  /** Costs nothing: both are watched all the time. */
  check(): RedisHealthReport {
    if (this.parts === null) return { status: 'up', engine: 'memory', detail: 'state is kept in this one process' };
    const { commands, bus } = this.parts;
    const faults = [commands.fault && `commands: ${commands.fault}`, bus.fault && `bus: ${bus.fault}`].filter(Boolean);
    if (faults.length === 0) return { status: 'up', engine: 'redis', detail: 'commands and the bus work' };
    return { status: 'down', engine: 'redis', detail: faults.join('; ') };
  }

  /** @throws ChatError UNAVAILABLE while {@link check} says `down` */
  async ping(): Promise<void> {
    const { status, detail } = this.check();
    if (status === 'down') throw redisUnavailable(new Error(detail));
  }
}

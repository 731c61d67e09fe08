import { afterEach, expect, it } from 'vitest';
import type { AccessWatch } from '../auth/index.js';
import { NodeBus } from '../redis/index.js';
import { Announcer } from './announcer.js';
import type { OutboxLogReader } from './outbox-log.reader.js';
import type { NoticeLogRepository } from './notice-log.repository.js';
import type { Notice, OutboxRepository } from './outbox.repository.js';

/** A bus that can be said to have come back. */
class ReturningBus extends NodeBus {
  override readonly nodeId = 'n';
  override readonly isShared = false;
  override readonly isHealthy = true;
  private readonly listeners: ((awayMs: number) => void)[] = [];

  override async publish(): Promise<void> {}

  override async flush(): Promise<void> {}

  override subscribe(): void {}

  override onReconnected(listener: (awayMs: number) => void): void {
    this.listeners.push(listener);
  }

  comeBack(): void {
    for (const listener of this.listeners) listener(0);
  }
}

const abandoned: Notice = { kind: 'test', payload: 'left behind' };
let announcer: Announcer | undefined;

afterEach(() => announcer?.onApplicationShutdown());

it('takes nothing from the outbox before all keepers are there: it would be forgotten unkept', async () => {
  const rows = [{ id: 1, notices: [abandoned] }];
  const outbox: Pick<OutboxRepository, 'claim' | 'delete'> = {
    claim: async (_minAgeMs, _limit, announce) => {
      const claimed = rows.splice(0);
      if (claimed.length > 0) await announce(claimed);
      return claimed.length;
    },
    delete: async () => undefined,
  };
  const log: Pick<NoticeLogRepository, 'forgetOld'> = {
    forgetOld: async () => undefined,
  };
  const bus = new ReturningBus();
  const [reader, watch] = [{} as OutboxLogReader, {} as AccessWatch];
  announcer = new Announcer(outbox as OutboxRepository, log as NoticeLogRepository, reader, bus, watch);
  bus.comeBack();
  await new Promise(setImmediate);
  expect(rows).toHaveLength(1);
  const kept: unknown[] = [];
  announcer.on('test', () => undefined);
  announcer.beforeForgetting('test', (payloads) => void kept.push(...payloads));
  announcer.onApplicationBootstrap();
  bus.comeBack();
  await new Promise(setImmediate);
  expect([rows, kept]).toEqual([[], ['left behind']]);
});

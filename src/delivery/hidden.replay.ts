import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { isoTime } from '../conversations/index.js';
import { ConnectionHooks, type Connection } from '../realtime/index.js';
import { DeliveryGate } from './delivery.gate.js';
import type { DeviceSession } from './device-session.js';
import { GroupedCalls } from './grouped-calls.js';
import { RedeliveryBudget } from './redelivery.budget.js';
import { HiddenRepository, hiddenPageSize, type HiddenQuestion, type MissedHiding } from './hidden.repository.js';

const maxDevicesPerQuery = 100;
/** About what one event costs on its way. */
const bytesOfEvent = 300;

/**
 * Tells a connecting device which messages were hidden meanwhile, on another device of its user
 * (`delete-message` with scope `me`, which leaves `rev` alone, so that no cursor knows of it). Also
 * of messages it may not have: what it got and has not proven, nobody knows.
 *
 * What was told is known once a pong proves it, in either ack mode; see {@link
 * DeviceRepository.left}. Told again when in doubt. A failure is made good by the next connection,
 * and by `sync`.
 */
@Injectable()
export class HiddenReplay implements OnModuleInit {
  private readonly logger = new Logger(HiddenReplay.name);
  private readonly pages: GroupedCalls<HiddenQuestion, MissedHiding[]>;

  constructor(
    private readonly hooks: ConnectionHooks,
    private readonly gate: DeliveryGate,
    repository: HiddenRepository,
    private readonly budget: RedeliveryBudget,
  ) {
    this.pages = new GroupedCalls((questions) => repository.pages(questions), maxDevicesPerQuery);
  }

  onModuleInit(): void {
    this.hooks.register({ ready: (connection) => this.begin(connection) });
  }

  private begin(connection: Connection): void {
    const session = this.gate.get(connection);
    if (!session) return;
    this.tell(session).catch((error: unknown) => {
      this.logger.debug(`hidden messages are told to ${connection.id} later: ${String(error)}`);
    });
  }

  private async tell(session: DeviceSession): Promise<void> {
    const { userId, deviceId } = session;
    let page: MissedHiding[];
    let after: MissedHiding | null = null;
    do {
      await session.room();
      const held = await this.budget.room(session);
      try {
        page = session.isClosed ? [] : await this.pages.ask({ userId, deviceId, after });
        if (session.isClosed || page.length === 0) return;
        for (const hiding of page) session.connection.emit('message-deleted', payloadOf(userId, hiding));
        held.measured(page.length, 0);
        session.notePage({ items: page.length, bytes: page.length * bytesOfEvent, held });
        session.askForPages();
      } finally {
        if (!session.holds(held)) held.release();
      }
      after = page.at(-1)!;
    } while (page.length === hiddenPageSize);
  }
}

function payloadOf(userId: string, { conversationId, messageId, seq, rev, hiddenAt }: MissedHiding) {
  return { conversationId, messageId, seq, rev, deletedBy: userId, deletedAt: isoTime(hiddenAt), scope: 'me' };
}

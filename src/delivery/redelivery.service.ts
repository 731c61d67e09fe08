import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionHooks, type Connection } from '../realtime/index.js';
import { BacklogReplay } from './backlog.replay.js';
import { BacklogFinder } from './backlog.finder.js';
import { DeliveryGate } from './delivery.gate.js';
import { DeviceCursorWriter } from './device-cursor.writer.js';
import { DeviceSession, type SessionEvents } from './device-session.js';
import type { Lane, UnprovenWrite } from './lane.js';
import type { PendingConversation } from './pending.repository.js';
import { ProofScheduler } from './proof.scheduler.js';

const retryMs = 1_000;
// Conversations of one connection that are replayed at the same time.
const maxParallel = 4;

/**
 * Brings each connecting device up to date, and keeps its cursors.
 *
 * Guarantees, per connection and conversation: what the device lacked goes out before live changes;
 * live changes go out without holes, and a hole is filled from Postgres; nothing moves a cursor but
 * a proof (`auto`) or the client's word (`manual`), so what no proof covers is delivered again
 * (contract, section 1). Repeats happen; loss does not.
 */
@Injectable()
export class RedeliveryService implements OnModuleInit, SessionEvents {
  private readonly logger = new Logger(RedeliveryService.name);

  constructor(
    private readonly hooks: ConnectionHooks,
    private readonly gate: DeliveryGate,
    private readonly finder: BacklogFinder,
    private readonly replay: BacklogReplay,
    private readonly cursors: DeviceCursorWriter,
    private readonly scheduler: ProofScheduler,
  ) {}

  onModuleInit(): void {
    this.hooks.register({
      // From this moment on nothing live is let through, until it is known what goes first.
      connected: (connection) => this.gate.add(new DeviceSession(connection, this)),
      ready: (connection) => this.begin(connection),
      disconnected: (connection) => this.end(connection),
    });
  }

  onUnasked(session: DeviceSession): void {
    this.scheduler.add(session);
  }

  onProven(session: DeviceSession, lane: Lane, write: UnprovenWrite): void {
    void this.store(session, lane, write);
  }

  onGap(session: DeviceSession, lane: Lane): void {
    void this.catchUp(session, lane, null);
  }

  private begin(connection: Connection): void {
    const session = this.gate.get(connection);
    if (session) void this.bringUpToDate(session);
  }

  private end(connection: Connection): void {
    const session = this.gate.remove(connection);
    if (!session) return;
    this.scheduler.remove(session);
    session.end();
  }

  private async bringUpToDate(session: DeviceSession): Promise<void> {
    const pending = await this.untilDone(session, () => this.finder.find(session));
    if (!pending) return;
    const positions = new Map<string, PendingConversation | null>();
    // What came live meanwhile was held back, and may not be in what was found.
    for (const conversationId of session.lanes.keys()) positions.set(conversationId, null);
    for (const position of pending) positions.set(position.conversationId, position);
    const work = [...positions].map(([id, position]) => ({ lane: session.closedLane(id), position }));
    session.isListing = false;
    const next = async (): Promise<void> => {
      for (let task = work.shift(); task; task = work.shift()) await this.catchUp(session, task.lane, task.position);
    };
    await Promise.all(Array.from({ length: maxParallel }, next));
  }

  /**
   * Writes what is missing until the lane can open. @param from null: look up what the device has
   */
  private async catchUp(session: DeviceSession, lane: Lane, from: PendingConversation | null): Promise<void> {
    let position = from;
    while (!session.isClosed) {
      position ??= await this.untilDone(session, () => this.finder.position(session, lane.conversationId));
      const start = position;
      // What came while it was found out what the device lacks is told as it happened, not as it
      // looks by now.
      if (start && lane.continuesAt(start.rev) && session.open(lane, start.rev, start.seq)) return;
      const reached = start && (await this.untilDone(session, () => this.replay.write(session, lane, start)));
      if (!reached) {
        // The session ended, or its user has left the conversation; then the next change finds a
        // new lane.
        if (session.lanes.get(lane.conversationId) === lane) session.lanes.delete(lane.conversationId);
        return;
      }
      if (reached.count === 0) this.skip(session, reached);
      if (session.open(lane, reached.rev, reached.seq)) return;
      position = reached;
    }
  }

  /** What there was, the device is not to see: nothing needs a proof. */
  private skip({ userId, deviceId }: DeviceSession, { conversationId, seq, rev }: PendingConversation): void {
    const claim = { userId, deviceId, conversationId, seq, rev, fromRev: null };
    this.cursors.advance(claim).catch((error: unknown) => this.logger.debug(`a cursor stayed: ${String(error)}`));
  }

  private async store(session: DeviceSession, lane: Lane, write: UnprovenWrite): Promise<void> {
    const { run, fromRev, conversationId } = lane;
    const { seq, rev, receivedSeq } = write;
    const { userId, deviceId } = session;
    const outcome = await this.cursors.prove({ userId, deviceId, conversationId, seq, rev, fromRev }, receivedSeq);
    if (session.isClosed || lane.run !== run) return;
    if (outcome === 'gap') {
      lane.close();
      this.onGap(session, lane);
      return;
    }
    if (outcome === 'moved' && rev > 0) lane.fromRev = null;
    session.retire(lane);
  }

  /**
   * Tries until it works or the session ends: while Postgres is away nothing new is committed
   * either.
   */
  private async untilDone<T>(session: DeviceSession, work: () => Promise<T>): Promise<T | null> {
    while (!session.isClosed) {
      try {
        return await work();
      } catch (error) {
        this.logger.warn(`a backlog of ${session.connection.id} is put off: ${String(error)}`);
        await pause(retryMs);
      }
    }
    return null;
  }
}

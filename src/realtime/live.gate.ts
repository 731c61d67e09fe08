import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import type { Connection } from './connection.js';

/** One committed change, as a socket would hear of it. */
export interface LiveChange {
  /** Place in the conversation's order of changes. */
  rev: number;
  /** Place of the message that changed. */
  seq: number;
  event: string;
  payload: unknown;
  /** The connection that acted and has its answer already. */
  exceptConnectionId: string | null;
  /** Users who have deleted the message for themselves: nothing of it reaches them. */
  hiddenFrom?: string[];
}

/**
 * Whether a connection is told of a change: not the one that acted, nothing from before joining,
 * nothing hidden.
 */
export function isMeantFor(connection: Connection, joinedSeq: number, change: LiveChange): boolean {
  if (change.seq <= joinedSeq || connection.id === change.exceptConnectionId) return false;
  // Read from Postgres, where it does not say which connection sent it.
  if (change.event === 'new-message' && isOwn(connection, change.payload as Message)) return false;
  return !change.hiddenFrom?.includes(connection.userId);
}

function isOwn(connection: Connection, { id, senderId }: Message): boolean {
  return senderId === connection.userId && connection.isOwn(id);
}

/**
 * Everything that happened in a conversation in (above, upTo] of its revs; read back, messages come
 * in their present state.
 */
export interface LiveBatch<T extends LiveChange = LiveChange> {
  conversationId: string;
  above: number;
  upTo: number;
  /** In order of rev. */
  changes: readonly T[];
}

/**
 * Asked before live changes are written to a connection: what may go out now.
 *
 * Called once per connection of a participant and batch, in order of rev as a rule, also for
 * changes that are not meant for it ({@link isMeantFor}): the caller leaves those out afterwards.
 * What is withheld is the gate's to deliver later. Must not throw or wait. Default: {@link
 * OpenLiveGate}; `delivery` puts its own in place, which lets a device's backlog go first.
 */
export abstract class LiveGate {
  /**
   * @param joinedSeq of the connection's user; for what is written later
   * @returns the changes to be written now, in order; as a rule `batch.changes` itself
   */
  abstract admit<T extends LiveChange>(connection: Connection, joinedSeq: number, batch: LiveBatch<T>): readonly T[];
}

/** Used where no feature provides {@link LiveGate}: everything goes out at once. */
@Injectable()
export class OpenLiveGate extends LiveGate {
  override admit<T extends LiveChange>(_connection: Connection, _joinedSeq: number, batch: LiveBatch<T>): readonly T[] {
    return batch.changes;
  }
}

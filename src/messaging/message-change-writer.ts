import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, type Message } from '../common/index.js';
import { Sql, UserTurns, type SqlRunner } from '../database/index.js';
import { Announcer } from '../realtime/index.js';
import type { MessageChange, PlacedChanges } from './message-change.js';
import {
  MessageChangeWriterRepository,
  type ChangePlace,
  type MessageTarget,
} from './message-change-writer.repository.js';
import { MessagePublisher } from './message.publisher.js';

/** What was done to a message: the message after it, and what sockets hear. */
export interface AppliedChange extends Pick<MessageChange, 'event' | 'payload'> {
  message: Message;
}

type Work = (tx: SqlRunner) => Promise<PlacedChanges[]>;

/**
 * The one way to change messages that exist: change, `rev` and announcement commit together
 * (ADR-0003, ADR-0004).
 *
 * Changes of a conversation and sends to it are one sequence: all hold the same lock, so what a
 * change judges by is still true when it commits, on whatever node. A change that turns out to be
 * none takes no rev and tells nobody.
 */
@Injectable()
export class MessageChangeWriter {
  constructor(
    private readonly sql: Sql,
    private readonly repository: MessageChangeWriterRepository,
    private readonly announcer: Announcer,
    private readonly publisher: MessagePublisher,
    private readonly turns: UserTurns,
  ) {}

  /** A message as the actor may act on it now, unlocked. @throws ChatError NOT_FOUND */
  async target(actor: Actor, messageId: string): Promise<MessageTarget> {
    return found(await this.repository.target(messageId, actor.userId));
  }

  /**
   * Changes one message for an actor. Changes of one socket are applied in the order in which they
   * arrived.
   *
   * @param apply judges the message and changes it within `tx`, setting its rev to
   *   `target.nextRev`; null: nothing to do
   * @returns the message as it is after commit
   * @throws ChatError NOT_FOUND (no such message, or not the actor's to see) | whatever `apply`
   *   throws | UNAVAILABLE
   */
  async change(
    actor: Actor,
    messageId: string,
    apply: (tx: SqlRunner, target: MessageTarget) => Promise<AppliedChange | null>,
  ): Promise<Message> {
    await actor.turn?.ready;
    let message!: Message;
    const work: Work = async (tx) => {
      await this.repository.lockOf(tx, messageId, actor.userId);
      const target = found(await this.repository.target(messageId, actor.userId, tx));
      const applied = await apply(tx, target);
      message = applied?.message ?? target.message;
      return [{ place: target, changes: applied ? [changeOf(applied, target, actor)] : [] }];
    };
    await this.turns.change(actor.userId, () => this.commit(work, actor));
    return message;
  }

  /**
   * Changes messages of several conversations on the server's own account, in one transaction.
   *
   * @param isPatient whether to wait for conversations that others are changing; else they are left
   *   out
   * @param apply changes them within `tx`, each with contiguous revs from its place's `nextRev` on
   */
  async changeMany(
    conversationIds: readonly string[],
    isPatient: boolean,
    apply: (tx: SqlRunner, places: ChangePlace[]) => Promise<PlacedChanges[]>,
  ): Promise<void> {
    await this.commit(async (tx) => {
      const places = await this.repository.lock(tx, conversationIds, isPatient);
      return places.length === 0 ? [] : apply(tx, places);
    });
  }

  /**
   * @param actor has its answer, and need not be told; unless the answer was given up before this
   * is committed
   */
  private async commit(work: Work, actor?: Actor): Promise<void> {
    const { placed, ticket } = await this.sql.transaction(async (tx) => {
      const placed = (await work(tx)).filter(({ changes }) => changes.length > 0);
      return { placed, ticket: placed.length > 0 ? await this.record(tx, placed) : null };
    });
    if (ticket === null) return;
    const changes = placed.flatMap((one) => one.changes);
    if (actor?.turn?.isGivenUp) for (const change of changes) change.exceptConnectionId = null;
    this.publisher.publishChanges(ticket, placed);
  }

  private async record(tx: SqlRunner, placed: readonly PlacedChanges[]): Promise<number> {
    const ids = placed.map(({ place }) => place.conversationId);
    const revs = placed.map(({ changes }) => changes.at(-1)!.rev);
    await this.repository.bump(tx, ids, revs);
    const notices = placed.map(({ place, changes }, i) =>
      this.publisher.outboxNotice(place.conversationId, place.version, changes[0]!.rev, revs[i]!),
    );
    return this.announcer.enlist(tx, notices);
  }
}

function found(target: MessageTarget | null): MessageTarget {
  if (!target) throw new ChatError('NOT_FOUND');
  return target;
}

function changeOf({ event, payload }: AppliedChange, target: MessageTarget, actor: Actor): MessageChange {
  return {
    rev: target.nextRev,
    seq: target.message.seq,
    event,
    payload,
    exceptConnectionId: actor.connectionId,
    ...(target.hiddenFrom.length > 0 ? { hiddenFrom: target.hiddenFrom } : {}),
  };
}

import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, type Message } from '../common/index.js';
import { Sql, type SqlRunner } from '../database/index.js';
import { Announcer } from '../realtime/index.js';
import type { MessageChange } from './message-change.js';
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

/** What was done to a conversation's messages: contiguous revs from the place's `nextRev` on. */
type Work = (tx: SqlRunner) => Promise<{ place: ChangePlace; changes: MessageChange[] }>;

/**
 * The one way to change messages that exist: change, `rev` and announcement commit together (ADR-0003, ADR-0004).
 *
 * Changes of a conversation and sends to it are one sequence: all hold the same lock, so what a change judges by is still
 * true when it commits, on whatever node. A change that turns out to be none takes no rev and tells nobody.
 */
@Injectable()
export class MessageChangeWriter {
  constructor(
    private readonly sql: Sql,
    private readonly repository: MessageChangeWriterRepository,
    private readonly announcer: Announcer,
    private readonly publisher: MessagePublisher,
  ) {}

  /** A message as the actor may act on it now, unlocked. @throws ChatError NOT_FOUND */
  async target(actor: Actor, messageId: string): Promise<MessageTarget> {
    return found(await this.repository.target(messageId, actor.userId));
  }

  /**
   * Changes one message for an actor. Changes of one socket are applied in the order in which they arrived.
   *
   * @param apply judges the message and changes it within `tx`, setting its rev to `target.nextRev`; null: nothing to do
   * @returns the message as it is after commit
   * @throws ChatError NOT_FOUND (no such message, or not the actor's to see) | whatever `apply` throws | UNAVAILABLE
   */
  async change(
    actor: Actor,
    messageId: string,
    apply: (tx: SqlRunner, target: MessageTarget) => Promise<AppliedChange | null>,
  ): Promise<Message> {
    await actor.turn?.ready;
    let message!: Message;
    await this.commit(async (tx) => {
      await this.repository.lockOf(tx, messageId, actor.userId);
      const target = found(await this.repository.target(messageId, actor.userId, tx));
      const applied = await apply(tx, target);
      message = applied?.message ?? target.message;
      return { place: target, changes: applied ? [changeOf(applied, target, actor)] : [] };
    }, actor);
    return message;
  }

  /**
   * Changes messages of one conversation on the server's own account.
   *
   * @param apply changes them within `tx`, with contiguous revs from `place.nextRev` on
   */
  async changeMany(
    conversationId: string,
    apply: (tx: SqlRunner, place: ChangePlace) => Promise<MessageChange[]>,
  ): Promise<void> {
    await this.commit(async (tx) => {
      const place = await this.repository.lock(tx, conversationId);
      return { place, changes: await apply(tx, place) };
    });
  }

  /** @param actor has its answer, and need not be told; unless the answer was given up before this is committed */
  private async commit(work: Work, actor?: Actor): Promise<void> {
    const { place, changes, ticket } = await this.sql.transaction(async (tx) => {
      const { place, changes } = await work(tx);
      return { place, changes, ticket: await this.record(tx, place, changes) };
    });
    if (actor?.turn?.isGivenUp) for (const change of changes) change.exceptConnectionId = null;
    if (ticket !== null) this.publisher.publishChanges(ticket, place.conversationId, place.version, changes);
  }

  private async record(
    tx: SqlRunner,
    { conversationId, version }: ChangePlace,
    changes: MessageChange[],
  ): Promise<number | null> {
    const [first] = changes;
    if (!first) return null;
    const toRev = changes.at(-1)!.rev;
    await this.repository.bump(tx, conversationId, toRev);
    return this.announcer.enlist(tx, [this.publisher.outboxNotice(conversationId, version, first.rev, toRev)]);
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

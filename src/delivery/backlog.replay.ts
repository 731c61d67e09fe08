import { Injectable } from '@nestjs/common';
import { BacklogRepository, type BacklogPage, type BacklogQuestion, type MissedChange } from './backlog.repository.js';
import type { DeviceSession } from './device-session.js';
import { GroupedCalls } from './grouped-calls.js';
import type { Lane } from './lane.js';
import type { PendingConversation } from './pending.repository.js';
import { RedeliveryBudget, type HeldPage } from './redelivery.budget.js';

const maxPagesPerQuery = 16;
const maxQueries = 2;

/** Where a reading of a backlog stands. */
interface Progress {
  /** What the page after next begins with. */
  question: BacklogQuestion;
  /** As of the first page: what the backlog is written up to when it is through. */
  target: { seq: number; rev: number };
  isDone: boolean;
}

/** Where a device stands once what was written has arrived. */
export interface WrittenBacklog extends PendingConversation {
  /** Events written; 0: the device stands there already. */
  count: number;
}

/**
 * Writes what a device lacks of one conversation to one connection: first what happened to messages
 * it has, in order of `rev`; then messages it has not, in order of `seq`, in their present form.
 *
 * In pages, and never more of them unproven than {@link DeviceSession.room} allows for a connection
 * and {@link RedeliveryBudget} for all: a backlog of any length, and any number of devices that
 * return at once, cost bounded memory; a link that takes nothing is written nothing.
 */
@Injectable()
export class BacklogReplay {
  private readonly pages: GroupedCalls<BacklogQuestion, BacklogPage | null>;

  constructor(
    repository: BacklogRepository,
    private readonly budget: RedeliveryBudget,
  ) {
    this.pages = new GroupedCalls((questions) => repository.pages(questions), maxPagesPerQuery, maxQueries);
  }

  /**
   * Writes everything above a position, up to what is committed at some moment after the call.
   *
   * @returns that position; null: the session ended, or the user does not take part any more
   * @throws ChatError UNAVAILABLE
   */
  async write(session: DeviceSession, lane: Lane, from: PendingConversation): Promise<WrittenBacklog | null> {
    let progress: Progress | null = null;
    let question = firstQuestion(session, from);
    let count = 0;
    let receivedSeq = 0;
    do {
      await session.room();
      const page = await this.writePage(session, question);
      if (!page) return null;
      count += page.changes.length + page.messages.length;
      receivedSeq = Math.max(receivedSeq, lastOfOthers(session, page));
      progress = advance(progress, question, page);
      question = progress.question;
      if (progress.isDone) session.note(lane, { ...progress.target, receivedSeq });
      else session.note(lane, { seq: question.aboveSeq, rev: 0, receivedSeq });
    } while (!progress.isDone);
    return { conversationId: from.conversationId, ...progress.target, count };
  }

  /** @returns the page, written; null: the session ended, or the user does not take part any more */
  private async writePage(session: DeviceSession, question: BacklogQuestion): Promise<BacklogPage | null> {
    const held = await this.budget.room(session);
    try {
      const page = session.isClosed ? null : await this.pages.ask(question);
      if (!page || session.isClosed) return null;
      this.emit(session, page, held);
      return page;
    } finally {
      if (!session.holds(held)) held.release();
    }
  }

  /** Counts also what the socket has its acks for: the device has it once the page is proven. */
  private emit(
    session: DeviceSession,
    { changes, messages, changesSinceSent, bytes }: BacklogPage,
    held: HeldPage,
  ): void {
    const tell = ({ event, payload }: MissedChange): void => session.connection.emit(event, payload);
    changes.forEach(tell);
    messages.forEach((message, i) => {
      if (!session.connection.isOwn(message.id)) session.connection.emit('new-message', message);
      else changesSinceSent[i]!.forEach(tell);
    });
    const count = changes.length + messages.length;
    held.measured(count, bytes);
    session.notePage({ items: count, bytes, held });
  }
}

function firstQuestion({ userId }: DeviceSession, { conversationId, seq, rev }: PendingConversation): BacklogQuestion {
  return { userId, conversationId, hadSeq: seq, knownRev: rev, aboveRev: rev, aboveSeq: seq };
}

function advance(before: Progress | null, question: BacklogQuestion, page: BacklogPage): Progress {
  const target = before?.target ?? { seq: page.lastSeq, rev: page.lastRev };
  const aboveRev = page.changesUpTo ?? page.lastRev;
  const aboveSeq = page.messages.at(-1)?.seq ?? question.aboveSeq;
  const isDone = page.changesUpTo === null && page.messagesUpTo === null;
  const reached = isDone ? { ...target, seq: Math.max(target.seq, aboveSeq) } : target;
  return { question: { ...question, aboveRev, aboveSeq }, target: reached, isDone };
}

/**
 * The last message of a page that the socket did not send itself: sending moves no receipt. 0:
 * none.
 */
function lastOfOthers({ connection }: DeviceSession, { messages }: BacklogPage): number {
  return messages.findLast(({ id }) => !connection.isOwn(id))?.seq ?? 0;
}

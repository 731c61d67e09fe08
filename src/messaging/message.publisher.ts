import { Injectable } from '@nestjs/common';
import { acceptanceNotice, ConversationDirectory, messagesNoticeKind } from '../conversations/index.js';
import { Announcer, ConnectionRegistry, type Notice } from '../realtime/index.js';
import type { MessageChange, MessagesNotice, PlacedChanges } from './message-change.js';
import type { AppendedMessage, AppendRow, PendingMessage } from './message-draft.js';

// Up to this size the membership travels with the notice: a few bytes instead of a query on every
// node.
const maxInlineMembers = 32;

/**
 * Makes notices of committed changes and gives them to the announcer: one publish per commit batch
 * (ADR-0004).
 */
@Injectable()
export class MessagePublisher {
  constructor(
    private readonly announcer: Announcer,
    private readonly directory: ConversationDirectory,
    private readonly registry: ConnectionRegistry,
  ) {}

  /** Before a commit: the sending socket has its ack, and is told by no other way. */
  spareSender({ connectionId, id }: PendingMessage): void {
    if (connectionId !== null) this.registry.get(connectionId)?.noteOwn(id);
  }

  /**
   * After a failure, whose outcome may be unknown: if the message turns out to be committed, its
   * sender hears of it.
   */
  tellSender({ connectionId, id }: PendingMessage): void {
    if (connectionId !== null) this.registry.get(connectionId)?.disownMessage(id);
  }

  /** Announces what a batch appended; messages that were refused or repeated are left out. */
  publishAppended(messages: readonly PendingMessage[], rows: readonly AppendRow[]): void {
    const byConversation = new Map<string, MessagesNotice & { changes: MessageChange[] }>();
    rows.forEach((row, i) => {
      const { message, participantsVersion } = row;
      if (message === null) return;
      const { conversationId } = message;
      const notice = byConversation.get(conversationId);
      const change = newMessageChange(message, this.answeredConnection(messages[i]!));
      if (!notice) byConversation.set(conversationId, this.notice(conversationId, participantsVersion, [change]));
      else {
        notice.changes.push(change);
        notice.toRev = message.rev;
      }
    });
    const ticket = rows.find((row) => row.outboxId !== null)?.outboxId;
    // Acceptances first: who gets the message may see its sender.
    if (ticket != null) this.announce(ticket, [...byConversation.values()], acceptancesOf(messages, rows));
  }

  /** What to put into the outbox within the transaction of a change other than a send. */
  outboxNotice(conversationId: string, version: number, fromRev: number, toRev: number): Notice {
    return { kind: messagesNoticeKind, payload: { conversationId, version, fromRev, toRev } satisfies MessagesNotice };
  }

  /**
   * Announces changes of conversations, those of each in order of `rev` and without holes; none is
   * without any.
   */
  publishChanges(ticket: number, placed: readonly PlacedChanges[]): void {
    const notices = placed.map(({ place, changes }) => this.notice(place.conversationId, place.version, changes));
    this.announce(ticket, notices);
  }

  /**
   * The sender's, unless it was told that the outcome is unknown: then it hears as the others do.
   */
  private answeredConnection(message: PendingMessage): string | null {
    if (!message.turn?.isGivenUp) return message.connectionId;
    this.tellSender(message);
    return null;
  }

  private announce(ticket: number, notices: MessagesNotice[], before: Notice[] = []): void {
    const messages = notices.map((payload) => ({ kind: messagesNoticeKind, payload }));
    this.announcer.announce(ticket, [...before, ...messages]);
  }

  private notice(
    conversationId: string,
    version: number,
    changes: MessageChange[],
  ): MessagesNotice & { changes: MessageChange[] } {
    const membership = this.directory.peek(conversationId, version);
    const isSmall = membership !== null && membership.participants.size <= maxInlineMembers;
    return {
      conversationId,
      version,
      fromRev: changes[0]!.rev,
      toRev: changes.at(-1)!.rev,
      changes,
      ...(isSmall
        ? { members: [...membership.participants].map(([userId, { joinedSeq }]) => [userId, joinedSeq]) }
        : {}),
    };
  }
}

function acceptancesOf(messages: readonly PendingMessage[], rows: readonly AppendRow[]): Notice[] {
  const accepting = messages.filter((_message, i) => rows[i]!.hasAccepted);
  return accepting.map(({ conversationId, senderId }) => acceptanceNotice(conversationId, senderId));
}

function newMessageChange(message: AppendedMessage, exceptConnectionId: string | null): MessageChange {
  return { rev: message.rev, seq: message.seq, event: 'new-message', payload: message, exceptConnectionId };
}

import type { Message } from '../../src/common/index.js';
import type { Heard } from './client.js';

const changeEvents = ['new-message', 'message-edited', 'message-deleted', 'reaction-changed'];

/** The changes of a conversation's messages among the events that a client received. */
export function changesOf(heard: readonly Heard[], conversationId: string): Heard[] {
  return heard.filter(
    ({ event, payload }) => changeEvents.includes(event) && payload.conversationId === conversationId,
  );
}

/**
 * Computes a conversation's messages after each change, from the changes and the rules of the
 * contract (sections 3 and 4). It refuses a change that the rules do not allow at its place.
 */
export class ConversationModel {
  /** In order of seq. */
  readonly messages: Message[] = [];
  /** The changed message as it was after each rev, from 1 on. */
  readonly states: Message[] = [];
  readonly changes: Heard[] = [];

  /** @param moderators who may delete what others sent */
  constructor(private readonly moderators: readonly string[]) {}

  /** Takes the next change. @throws Error when it cannot come here */
  apply(change: Heard): void {
    const { event, payload } = change;
    const { rev } = payload as { rev: number };
    this.allow(rev === this.states.length + 1, change, 'is not the next rev');
    const state = event === 'new-message' ? this.send(change) : this.change(change);
    this.messages[state.seq - 1] = state;
    this.states.push(structuredClone(state));
    this.changes.push(change);
  }

  private send(change: Heard): Message {
    const message = change.payload as Message;
    const isFresh =
      message.editedAt === null && message.deletedAt === null && Object.keys(message.reactions).length === 0;
    this.allow(message.seq === this.messages.length + 1, change, 'leaves a hole in seq, or repeats one');
    this.allow(isFresh && message.content !== null, change, 'was changed before it was sent');
    return structuredClone(message);
  }

  private change(change: Heard): Message {
    const id = change.event === 'message-edited' ? change.payload.id : change.payload.messageId;
    const before = this.messages.find((message) => message.id === id);
    if (!before) throw refusal(change, 'changes a message that was not sent');
    this.allow(before.deletedAt === null, change, 'changes a deleted message');
    const { rev } = change.payload as { rev: number };
    if (change.event === 'message-edited') return this.edited(before, change);
    if (change.event === 'message-deleted') return { ...this.deleted(before, change), rev };
    return { ...before, rev, reactions: this.reacted(before, change) };
  }

  private edited(before: Message, change: Heard): Message {
    const { rev, content, editedAt } = change.payload as Message;
    const after = { ...before, rev, content, editedAt };
    this.allow(editedAt !== null && content !== null, change, 'is no edit');
    this.allow(isSame(after, change.payload), change, `changes more than the content of ${JSON.stringify(before)}`);
    return after;
  }

  private deleted(before: Message, change: Heard): Message {
    const { deletedBy, deletedAt, seq } = change.payload as { deletedBy: string; deletedAt: string; seq: number };
    const isAllowed = deletedBy === before.senderId || this.moderators.includes(deletedBy);
    this.allow(isAllowed && seq === before.seq, change, 'is by nobody who may');
    return { ...before, deletedAt, content: null, mentions: [], reactions: {} };
  }

  private reacted(before: Message, change: Heard): Message['reactions'] {
    const { emoji, userId, added } = change.payload as { emoji: string; userId: string; added: boolean };
    const userIds = before.reactions[emoji]?.userIds ?? [];
    this.allow(userIds.includes(userId) !== added, change, 'changes nothing');
    const others = userIds.filter((other) => other !== userId);
    const after = added ? [...others, userId] : others;
    const reactions = { ...before.reactions, [emoji]: { count: after.length, userIds: after } };
    if (after.length === 0) delete reactions[emoji];
    return reactions;
  }

  private allow(isAllowed: boolean, change: Heard, why: string): void {
    if (!isAllowed) throw refusal(change, why);
  }
}

function refusal({ event, payload }: Heard, why: string): Error {
  return new Error(`${event} ${why}: ${JSON.stringify(payload)}`);
}

function isSame(one: Message, other: Message): boolean {
  const sorted = (message: Message) => JSON.stringify(Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(one) === sorted(other);
}

import type { Turn } from '../auth/index.js';
import { EncodedOnce, type Message, type Reaction } from '../common/index.js';

/** A message on its way to the database: everything is decided but its place. */
export interface PendingMessage {
  id: string;
  conversationId: string;
  senderId: string;
  clientMessageId: string | null;
  fingerprint: string | null;
  type: string;
  content: Record<string, unknown>;
  /** `content` as it is stored. */
  contentJson: string;
  replyTo: string | null;
  mentions: string[];
  expiresInSeconds: number | null;
  /** The sending connection, which is not told of its own message. */
  connectionId: string | null;
  /** Of the sending event; says whether its answer was given up. */
  turn: Turn | null;
}

/** What the database made of it. */
export type AppendOutcome =
  'appended' | 'duplicate' | 'conflict' | 'not-found' | 'blocked' | 'bad-reply' | 'bad-mention';

/** The place a message got. Times are unix milliseconds, the database's clock. */
export interface MessagePlace {
  seq: number;
  rev: number;
  createdAtMs: number;
  expiresAtMs: number | null;
}

/** The wire object of a message just appended: what was asked for, and the place it got. */
export class AppendedMessage extends EncodedOnce implements Message {
  readonly id: string;
  readonly conversationId: string;
  readonly seq: number;
  readonly rev: number;
  readonly senderId: string;
  readonly clientMessageId: string | null;
  readonly type: string;
  readonly content: Record<string, unknown>;
  readonly replyTo: string | null;
  readonly mentions: string[];
  readonly reactions: Record<string, Reaction> = {};
  readonly createdAt: string;
  readonly editedAt = null;
  readonly deletedAt = null;
  readonly expiresAt: string | null;
  readonly #contentJson: string;

  constructor(pending: PendingMessage, place: MessagePlace) {
    super();
    this.#contentJson = pending.contentJson;
    this.id = pending.id;
    this.conversationId = pending.conversationId;
    this.seq = place.seq;
    this.rev = place.rev;
    this.senderId = pending.senderId;
    this.clientMessageId = pending.clientMessageId;
    this.type = pending.type;
    this.content = pending.content;
    this.replyTo = pending.replyTo;
    this.mentions = pending.mentions;
    this.createdAt = isoOf(place.createdAtMs);
    this.expiresAt = place.expiresAtMs === null ? null : isoOf(place.expiresAtMs);
  }

  /**
   * Put together: the content is encoded already, and ids and times need no escapes. Half the price
   * of the general way.
   */
  protected override encode(): string {
    const { id, conversationId, seq, rev, replyTo, mentions, createdAt, expiresAt } = this;
    const [sender, key, type] = [this.senderId, this.clientMessageId, this.type].map((text) => JSON.stringify(text));
    return (
      `{"id":"${id}","conversationId":"${conversationId}","seq":${seq},"rev":${rev},"senderId":${sender},` +
      `"clientMessageId":${key},"type":${type},"content":${this.#contentJson},"replyTo":${quoted(replyTo)},` +
      `"mentions":${mentions.length === 0 ? '[]' : JSON.stringify(mentions)},"reactions":{},"createdAt":"${createdAt}",` +
      `"editedAt":null,"deletedAt":null,"expiresAt":${quoted(expiresAt)}}`
    );
  }
}

/** @param plain an id or a time: nothing in it needs an escape */
function quoted(plain: string | null): string {
  return plain === null ? 'null' : `"${plain}"`;
}

let lastMs = Number.NaN;
let lastIso = '';

/** All messages of a batch were made in the same millisecond. */
function isoOf(ms: number): string {
  if (ms !== lastMs) [lastMs, lastIso] = [ms, new Date(ms).toISOString()];
  return lastIso;
}

/** One answer of `append_messages`. */
export interface AppendRow {
  outcome: AppendOutcome;
  /** What was appended; null with any other outcome. */
  message: AppendedMessage | null;
  /** With `duplicate` and `conflict`: the message that was sent with this clientMessageId first. */
  firstId: string | null;
  /** The membership it was appended under. */
  participantsVersion: number;
  /** The outbox row of the batch; the same in every row. */
  outboxId: number | null;
  /**
   * Whether the sender accepted the other participants by it (ADR-0027): their first message since
   * somebody came back.
   */
  hasAccepted: boolean;
}

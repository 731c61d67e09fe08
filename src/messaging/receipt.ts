/** How far a user says he has come in a conversation. What is left out stays as it is. */
export interface ReceiptMark {
  conversationId: string;
  userId: string;
  /** Messages up to this have reached one of his devices. */
  deliveredSeq?: number;
  /** Changes up to this have reached one of his devices. */
  deliveredRev?: number;
  /** Messages up to this he has read; implies that they were delivered. */
  readSeq?: number;
  /** The connection that acts, which has its answer and is not told. */
  connectionId?: string | null;
}

/** What the database made of a mark. `accepted` says nothing about whether a cursor moved. */
export type ReceiptOutcome = 'accepted' | 'not-found' | 'above-last-seq' | 'above-last-rev';

/**
 * One answer of `advance_receipts`: the participant's cursors now, with what others marked at the
 * same time.
 */
export interface ReceiptRow {
  outcome: ReceiptOutcome;
  /** These four are null with `not-found`; times are null until the cursor first moves. */
  deliveredSeq: number;
  readSeq: number;
  deliveredAt: Date | null;
  readAt: Date | null;
  /**
   * Whether this mark moved the cursor; of several in one batch, the one that moved it furthest.
   */
  hasDelivered: boolean;
  hasRead: boolean;
}

/** A cursor that moved, on its way to those who may hear of it. */
export interface ReceiptEvent {
  event: 'message-delivered' | 'messages-read';
  conversationId: string;
  userId: string;
  seq: number;
  /** ISO 8601, UTC; the database's clock. */
  at: string;
  /** The other side of a direct conversation; null: a group, whose joined sockets hear. */
  peerId: string | null;
  exceptConnectionId: string | null;
}

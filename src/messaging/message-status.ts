/** One user, and when a message reached him or was read by him. */
export interface StatusMark {
  userId: string;
  /** ISO 8601, UTC; the database's clock. */
  at: string;
}

/** How far a message has come. */
export interface MessageStatus {
  messageId: string;
  /**
   * The least over the other participants who may see the message and have no block with the asker;
   * `sent` when there is none. The sender does not count, nor who has left or joined later.
   */
  status: 'sent' | 'delivered' | 'read';
  /** In order of time. */
  deliveredTo: StatusMark[];
  /** In order of time; who reads is in `deliveredTo`, too. */
  readBy: StatusMark[];
  /** Of the conversation, now. */
  participantCount: number;
}

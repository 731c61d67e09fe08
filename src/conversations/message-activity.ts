/**
 * The kind of {@link CommittedChanges} among the notices of the outbox; `append_messages` writes
 * it, too.
 */
export const messagesNoticeKind = 'messages';

/**
 * Says that the changes `fromRev` to `toRev` of a conversation's messages are committed. What
 * features other than messaging may read of its notices.
 */
export interface CommittedChanges {
  conversationId: string;
  /** The membership these changes were committed under. */
  version: number;
  fromRev: number;
  toRev: number;
  /** The membership itself, where it is small. User id and joinedSeq. */
  members?: [userId: string, joinedSeq: number][];
}

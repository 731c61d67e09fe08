import type { Notice } from '../realtime/index.js';

/**
 * The kind of {@link Acceptance} among the notices of the outbox; `append_messages` and
 * `append_message` write it, too.
 */
export const acceptanceNoticeKind = 'acceptance';

/**
 * Says that a user has accepted the other participants: they opened the conversation, or have sent
 * (ADR-0027).
 */
export interface Acceptance {
  conversationId: string;
  userId: string;
}

/** A notice for all nodes; it may be handled twice. */
export function acceptanceNotice(conversationId: string, userId: string): Notice {
  return { kind: acceptanceNoticeKind, payload: { conversationId, userId } satisfies Acceptance };
}

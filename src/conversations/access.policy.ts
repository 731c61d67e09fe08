import type { ConversationKind, ErrorCode, Role } from '../common/index.js';

/**
 * What a participant wants to do. `delete-own` and `delete-any` are deletions for everyone; `read`
 * covers history, joining and receipts; `remove-participant` covers leaving (then the target is the
 * participant).
 */
export type AccessVerb =
  | 'send'
  | 'edit'
  | 'delete-own'
  | 'delete-any'
  | 'rename'
  | 'delete-conversation'
  | 'add-participants'
  | 'remove-participant'
  | 'change-role'
  | 'read';

export interface AccessRequest {
  userId: string;
  verb: AccessVerb;
  conversation: { id: string; kind: ConversationKind };
  /** The user's own. */
  role: Role;
  /** Whom it is done to: with `remove-participant` and `change-role`. */
  target?: { userId: string; role: Role; newRole?: Role };
}

/**
 * Why not, as the client is told. `FORBIDDEN`, `CONFLICT`, or a registered code of the team's own.
 */
export interface AccessRefusal {
  code: ErrorCode;
  message: string;
}

/**
 * Says whether a participant may do what he asks. Replace it for other roles' rights, quiet hours,
 * read-only groups.
 *
 * Called for every verb of a participant, on the node where he acts, before anything is stored; for
 * changes of title and members inside their transaction, with the conversation's row locked. Not
 * called for those who are not participants (they are told `NOT_FOUND`), nor for what the state of
 * a conversation forbids whatever the policy: title and members of a direct conversation, a group
 * without its owner, editing another's message.
 *
 * Allowed answers: null (yes), or an {@link AccessRefusal} (no, and why). A throw is answered
 * `INTERNAL`, or with its code if it is a ChatError; nothing is done. There is no time-out, since
 * there is nothing to wait for: it is synchronous because it runs for every message. A policy that
 * needs facts from elsewhere keeps them in memory.
 *
 * The role may be up to `REVOCATION_BOUND_MS` old for the verbs of messages (see ConversationDirectory), never for
 * those of members. There is one policy; to combine several, write one that asks them in order.
 *
 * @since 0.1.0
 * @example ParleyModule.forRoot({ accessPolicy: QuietHoursPolicy })
 */
export abstract class AccessPolicy {
  abstract decide(request: AccessRequest): AccessRefusal | null;
}

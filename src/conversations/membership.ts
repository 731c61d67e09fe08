import type { ConversationKind, Role } from '../common/index.js';

/** What is known of a participant without asking Postgres. */
export interface Member {
  role: Role;
  /** Reads only what has a greater seq. */
  joinedSeq: number;
}

/** Who takes part in a conversation, at one version of it. */
export interface Membership {
  conversationId: string;
  kind: ConversationKind;
  /** Grows with every change of participants or roles. */
  version: number;
  /** By user id; only those who have not left. */
  participants: ReadonlyMap<string, Member>;
}

/** A participant and where he stands. */
export interface Standing {
  membership: Membership;
  participant: Member;
}

import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError } from '../common/index.js';
import { AccessPolicy, type AccessRequest, type AccessVerb } from './access.policy.js';
import { ConversationDirectory } from './conversation.directory.js';
import type { Standing } from './membership.js';

/** Membership first, then the policy: what every verb on a conversation goes through. */
@Injectable()
export class AccessGate {
  constructor(
    private readonly directory: ConversationDirectory,
    private readonly policy: AccessPolicy,
  ) {}

  /**
   * Lets a participant through who may do this.
   *
   * From memory as a rule, see {@link ConversationDirectory} for how old that may be: what commits checks membership
   * again in its statement.
   *
   * @throws ChatError NOT_FOUND (not a participant, or no such conversation: indistinguishable) | the policy's code
   */
  async require(actor: Actor, verb: AccessVerb, conversationId: string): Promise<Standing> {
    const { directory } = this;
    const known = directory.knownParticipant(conversationId, actor.userId);
    const standing = known ?? (await directory.participantOf(conversationId, actor.userId));
    if (!standing) throw new ChatError('NOT_FOUND');
    const { membership, participant } = standing;
    const conversation = { id: conversationId, kind: membership.kind };
    this.assertAllowed({ userId: actor.userId, verb, conversation, role: participant.role });
    return standing;
  }

  /** Asks the policy only; for a caller who has looked at membership himself. @throws ChatError the policy's code */
  assertAllowed(request: AccessRequest): void {
    const refusal = this.policy.decide(request);
    if (refusal) throw new ChatError(refusal.code, { message: refusal.message });
  }
}

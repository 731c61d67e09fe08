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
   * From memory as a rule, see {@link ConversationDirectory} for how old that may be: what commits
   * checks membership again in its statement.
   *
   * @throws ChatError NOT_FOUND (not a participant, or no such conversation: indistinguishable) |
   *   the policy's code
   */
  async require(actor: Actor, verb: AccessVerb, conversationId: string): Promise<Standing> {
    return this.admit(actor, verb, conversationId);
  }

  /**
   * As {@link require}, for who counts promises: it answers (or throws) at once where memory
   * suffices.
   */
  admit(actor: Actor, verb: AccessVerb, conversationId: string): Standing | Promise<Standing> {
    const known = this.directory.knownParticipant(conversationId, actor.userId);
    if (known) return this.judged(actor, verb, conversationId, known);
    const asked = this.directory.participantOf(conversationId, actor.userId);
    return asked.then((standing) => this.judged(actor, verb, conversationId, standing));
  }

  private judged(actor: Actor, verb: AccessVerb, conversationId: string, standing: Standing | null): Standing {
    if (!standing) throw new ChatError('NOT_FOUND');
    const { membership, participant } = standing;
    const conversation = { id: conversationId, kind: membership.kind };
    this.assertAllowed({ userId: actor.userId, verb, conversation, role: participant.role });
    return standing;
  }

  /**
   * Asks the policy only; for a caller who has looked at membership himself. @throws ChatError the
   * policy's code
   */
  assertAllowed(request: AccessRequest): void {
    const refusal = this.policy.decide(request);
    if (refusal) throw new ChatError(refusal.code, { message: refusal.message });
  }
}

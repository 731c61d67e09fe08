import { Injectable } from '@nestjs/common';
import { AccessGate, Broadcaster, ChatError, registerErrorCodes, type Actor } from '../../src/index.js';
import type { VoteDto } from './vote.dto.js';

/** How a poll stands: votes by option. */
export interface Tally {
  pollId: string;
  votes: Record<number, number>;
}

registerErrorCodes({
  ACME_ALREADY_VOTED: { status: 409, retryable: false, title: 'One vote per user and poll' },
});

/**
 * Counts votes and shows them to the conversation's participants on all nodes.
 *
 * The votes live in this process to keep the example short; a real one has a table of its own.
 */
@Injectable()
export class VoteService {
  private readonly ballots = new Map<string, Map<string, number>>();

  constructor(
    private readonly gate: AccessGate,
    private readonly broadcaster: Broadcaster,
  ) {}

  /**
   * @throws ChatError NOT_FOUND (not a participant) | ACME_ALREADY_VOTED
   * @fires acme-poll-changed to all other sockets of the participants
   */
  async vote(actor: Actor, { conversationId, pollId, option }: VoteDto): Promise<Tally> {
    const { membership } = await this.gate.require(actor, 'read', conversationId);
    const ballots = this.ballots.get(pollId) ?? new Map<string, number>();
    if (ballots.has(actor.userId)) throw new ChatError('ACME_ALREADY_VOTED');
    this.ballots.set(pollId, ballots.set(actor.userId, option));
    const tally = { pollId, votes: countOf(ballots) };
    const audience = { userIds: [...membership.participants.keys()], exceptConnectionId: actor.connectionId };
    this.broadcaster.emit(audience, 'acme-poll-changed', tally);
    return tally;
  }
}

function countOf(ballots: Map<string, number>): Record<number, number> {
  const votes: Record<number, number> = {};
  for (const option of ballots.values()) votes[option] = (votes[option] ?? 0) + 1;
  return votes;
}

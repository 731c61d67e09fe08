import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, ChatGateway, CurrentActor, ok, type Ack } from '../../src/index.js';
import { VoteDto } from './vote.dto.js';
import { VoteService, type Tally } from './vote.service.js';

/** An event of Acme's own: guarded, validated and answered like the built-in ones. */
@ChatGateway()
export class VoteGateway {
  constructor(private readonly votes: VoteService) {}

  @SubscribeMessage('acme-vote')
  async vote(@CurrentActor() actor: Actor, @MessageBody() dto: VoteDto): Promise<Ack<Tally>> {
    return ok(await this.votes.vote(actor, dto));
  }
}

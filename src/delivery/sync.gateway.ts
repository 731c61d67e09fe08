import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor } from '../auth/index.js';
import { byPage, Costs } from '../common/index.js';
import { ChatGateway, ok, type Ack } from '../realtime/index.js';
import { SyncDto } from './sync.dto.js';
import { SyncService, type SyncPage } from './sync.service.js';

/** Catching up, by socket. */
@ChatGateway()
export class SyncGateway {
  constructor(private readonly syncs: SyncService) {}

  @Costs(byPage(200))
  @SubscribeMessage('sync')
  async sync(@CurrentActor() actor: Actor, @MessageBody() dto: SyncDto): Promise<Ack<SyncPage>> {
    return ok(await this.syncs.sync(actor, dto));
  }
}

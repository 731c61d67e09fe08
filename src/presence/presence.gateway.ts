import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Actor, CurrentActor, Ephemeral } from '../auth/index.js';
import { byIds, Costs } from '../common/index.js';
import type { Presence } from '../common/index.js';
import { ChatGateway, EmptyDto, ok, type Ack } from '../realtime/index.js';
import { UserIdsDto, UserOnlineDto } from './presence.dto.js';
import { PresenceService } from './presence.service.js';

interface Presences {
  presences: Presence[];
}

/** Presence, by socket. */
@Ephemeral()
@ChatGateway()
export class PresenceGateway {
  constructor(private readonly presence: PresenceService) {}

  @SubscribeMessage('user-online')
  async userOnline(@CurrentActor() actor: Actor, @MessageBody() dto: UserOnlineDto): Promise<Ack<Presence>> {
    return ok(await this.presence.setStatus(actor, dto.status ?? 'online'));
  }

  @SubscribeMessage('user-offline')
  async userOffline(@CurrentActor() actor: Actor, @MessageBody() _nothing: EmptyDto): Promise<Ack<Presence>> {
    return ok(await this.presence.setStatus(actor, 'offline'));
  }

  @Costs(byIds)
  @SubscribeMessage('get-presence')
  async getPresence(
    @CurrentActor() actor: Actor,
    @ConnectedSocket() socket: Socket,
    @MessageBody() dto: UserIdsDto,
  ): Promise<Ack<Presences>> {
    const answer = { presences: await this.presence.presencesOf(actor, dto.userIds) };
    socket.emit('presence-status', answer);
    return ok(answer);
  }

  @Costs(byIds)
  @SubscribeMessage('subscribe-presence')
  async subscribe(@CurrentActor() actor: Actor, @MessageBody() dto: UserIdsDto): Promise<Ack<Presences>> {
    return ok({ presences: await this.presence.subscribe(actor, dto.userIds) });
  }

  @Costs(byIds)
  @SubscribeMessage('unsubscribe-presence')
  async unsubscribe(@CurrentActor() actor: Actor, @MessageBody() dto: UserIdsDto): Promise<Ack<Presences>> {
    return ok({ presences: await this.presence.unsubscribe(actor, dto.userIds) });
  }
}

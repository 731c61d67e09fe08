import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Actor, CurrentActor, Ephemeral } from '../auth/index.js';
import { ok, type Ack } from './ack.js';
import { ChatGateway } from './chat-gateway.decorator.js';
import { EmptyDto, RefreshTokenDto } from './session.dto.js';
import { SessionService, type Pulse } from './session.service.js';

/** The verbs of the session itself. */
@Ephemeral()
@ChatGateway()
export class SessionGateway {
  constructor(private readonly sessions: SessionService) {}

  @SubscribeMessage('refresh-token')
  async refreshToken(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: RefreshTokenDto,
  ): Promise<Ack<{ expiresAt: string }>> {
    return ok(await this.sessions.refresh(actor, dto.token));
  }

  @SubscribeMessage('heartbeat')
  async heartbeat(
    @CurrentActor() actor: Actor,
    @ConnectedSocket() socket: Socket,
    @MessageBody() _nothing: EmptyDto,
  ): Promise<Ack<Pulse>> {
    const pulse = await this.sessions.pulse(actor);
    socket.emit('heartbeat-ack', pulse);
    return ok(pulse);
  }
}

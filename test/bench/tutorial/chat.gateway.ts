import { UseGuards } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  OnGatewayConnection,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { ChatService } from './chat.service.js';
import { WsJwtGuard } from './ws-jwt.guard.js';

interface SendMessage {
  conversationId: string;
  content: { text: string };
}

@WebSocketGateway({ cors: { origin: '*' } })
export class ChatGateway implements OnGatewayConnection {
  @WebSocketServer()
  server!: Server;

  constructor(private readonly chat: ChatService) {}

  handleConnection(client: Socket) {
    client.emit('session-ready', {});
  }

  @UseGuards(WsJwtGuard)
  @SubscribeMessage('join-conversation')
  async join(@ConnectedSocket() client: Socket, @MessageBody() body: { conversationId: string }) {
    await client.join(body.conversationId);
    return { ok: true, data: body };
  }

  @UseGuards(WsJwtGuard)
  @SubscribeMessage('send-message')
  async sendMessage(@ConnectedSocket() client: Socket, @MessageBody() body: SendMessage) {
    const message = await this.chat.createMessage(body.conversationId, client.data.user.sub, body.content.text);
    client.to(body.conversationId).emit('new-message', message);
    return { ok: true, data: message };
  }

  @UseGuards(WsJwtGuard)
  @SubscribeMessage('typing-start')
  typingStart(@ConnectedSocket() client: Socket, @MessageBody() body: { conversationId: string }) {
    return this.type(client, body.conversationId, true);
  }

  @UseGuards(WsJwtGuard)
  @SubscribeMessage('typing-stop')
  typingStop(@ConnectedSocket() client: Socket, @MessageBody() body: { conversationId: string }) {
    return this.type(client, body.conversationId, false);
  }

  private type(client: Socket, conversationId: string, isTyping: boolean) {
    client.to(conversationId).emit('user-typing', { conversationId, userId: client.data.user.sub, isTyping });
    return { ok: true, data: {} };
  }
}

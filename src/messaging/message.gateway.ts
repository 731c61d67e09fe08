import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor } from '../auth/index.js';
import { byPage, Costs } from '../common/index.js';
import { ChatGateway, InArrivalOrder, ok, type Ack } from '../realtime/index.js';
import { HistoryService } from './history.service.js';
import { GetMessagesDto, SendMessageDto } from './message.dto.js';
import type { MessagePage } from './message-page.js';
import { MessageService, type SentMessage } from './message.service.js';

/** Sending and reading messages, by socket. */
@ChatGateway()
export class MessageGateway {
  constructor(
    private readonly messages: MessageService,
    private readonly history: HistoryService,
  ) {}

  @InArrivalOrder()
  @SubscribeMessage('send-message')
  async sendMessage(@CurrentActor() actor: Actor, @MessageBody() dto: SendMessageDto): Promise<Ack<SentMessage>> {
    return ok(await this.messages.send(actor, dto));
  }

  @Costs(byPage())
  @SubscribeMessage('get-messages')
  async getMessages(@CurrentActor() actor: Actor, @MessageBody() dto: GetMessagesDto): Promise<Ack<MessagePage>> {
    return ok(await this.history.page(actor, dto));
  }
}

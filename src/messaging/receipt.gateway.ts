import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor } from '../auth/index.js';
import { ChatGateway, ok, type Ack } from '../realtime/index.js';
import type { MessageStatus } from './message-status.js';
import { MessageStatusService } from './message-status.service.js';
import { MarkDeliveredDto, MarkReadDto, MessageStatusDto } from './receipt.dto.js';
import { ReceiptService, type DeliveredCursor, type ReadCursor } from './receipt.service.js';

/** Receipts, by socket. */
@ChatGateway()
export class ReceiptGateway {
  constructor(
    private readonly receipts: ReceiptService,
    private readonly statuses: MessageStatusService,
  ) {}

  @SubscribeMessage('mark-delivered')
  async markDelivered(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: MarkDeliveredDto,
  ): Promise<Ack<DeliveredCursor>> {
    return ok(await this.receipts.markDelivered(actor, dto));
  }

  @SubscribeMessage('mark-read')
  async markRead(@CurrentActor() actor: Actor, @MessageBody() dto: MarkReadDto): Promise<Ack<ReadCursor>> {
    return ok(await this.receipts.markRead(actor, dto));
  }

  @SubscribeMessage('get-message-status')
  async getMessageStatus(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: MessageStatusDto,
  ): Promise<Ack<MessageStatus>> {
    return ok(await this.statuses.get(actor, dto.messageId));
  }
}

import { Global, Module } from '@nestjs/common';
import { DeliveryReceipts, ReceiptListeners, ReceiptVisibility } from '../conversations/index.js';
import { MessageStatusController } from './message-status.controller.js';
import { MessageStatusRepository } from './message-status.repository.js';
import { MessageStatusService } from './message-status.service.js';
import { ReceiptPrivacy } from './receipt-privacy.js';
import { ReceiptPrivacyRepository } from './receipt-privacy.repository.js';
import { ReceiptCoalescer } from './receipt.coalescer.js';
import { ReceiptController } from './receipt.controller.js';
import { ReceiptFanOut } from './receipt.fan-out.js';
import { ReceiptGateway } from './receipt.gateway.js';
import { ReceiptProgress } from './receipt.progress.js';
import { ReceiptPublisher } from './receipt.publisher.js';
import { ReceiptRepository } from './receipt.repository.js';
import { ReceiptService } from './receipt.service.js';
import { ReceiptWriter } from './receipt.writer.js';

/**
 * Receipts. Global, so that conversations are shown with the read cursors their viewers may see.
 */
@Global()
@Module({
  controllers: [MessageStatusController, ReceiptController],
  providers: [
    { provide: DeliveryReceipts, useExisting: ReceiptWriter },
    { provide: ReceiptVisibility, useClass: ReceiptPrivacy },
    MessageStatusRepository,
    MessageStatusService,
    ReceiptCoalescer,
    ReceiptFanOut,
    ReceiptGateway,
    ReceiptListeners,
    ReceiptPrivacyRepository,
    ReceiptProgress,
    ReceiptPublisher,
    ReceiptRepository,
    ReceiptService,
    ReceiptWriter,
  ],
  exports: [DeliveryReceipts, ReceiptListeners, ReceiptVisibility],
})
export class ReceiptsModule {}

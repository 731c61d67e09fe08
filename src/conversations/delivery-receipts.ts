import { Injectable } from '@nestjs/common';

/** How far messages and changes have reached one of a user's devices. */
export interface DeliveredMark {
  conversationId: string;
  userId: string;
  deliveredSeq?: number;
  deliveredRev?: number;
}

/**
 * Advances users' delivered cursors when a device has proven that it got something. A DI token:
 * `messaging` provides its writer of receipts; default: {@link NoDeliveryReceipts}.
 *
 * Cursors only grow: a lower mark changes nothing. Whether a mark moved anything is the callee's
 * business, and so is telling the senders.
 */
export abstract class DeliveryReceipts {
  /** Resolves after commit. @throws ChatError UNAVAILABLE */
  abstract advance(mark: DeliveredMark): Promise<unknown>;
}

/** Used where no feature provides {@link DeliveryReceipts}: nobody is told. */
@Injectable()
export class NoDeliveryReceipts extends DeliveryReceipts {
  override async advance(): Promise<void> {}
}

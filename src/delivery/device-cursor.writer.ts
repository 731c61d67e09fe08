import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { DeliveryReceipts } from '../conversations/index.js';
import { DeviceCursorRepository, type ClaimOutcome, type CursorClaim } from './device-cursor.repository.js';
import { GroupedCalls } from './grouped-calls.js';

const maxBatchClaims = 500;
// Proofs come in crowds, half a second after what they prove, and nobody waits for their commit.
const paceMs = 20;
const retryMs = 1_000;

/**
 * The group commit of device cursors: claims made while a statement is on its way are written together by the next.
 *
 * A claim that cannot be written is only lost progress: the device gets the same again on its next connection.
 */
@Injectable()
export class DeviceCursorWriter {
  private readonly logger = new Logger(DeviceCursorWriter.name);
  private readonly calls: GroupedCalls<CursorClaim, ClaimOutcome>;

  constructor(
    repository: DeviceCursorRepository,
    private readonly receipts: DeliveryReceipts,
  ) {
    this.calls = new GroupedCalls((claims) => repository.advance(claims), maxBatchClaims, 1, paceMs);
  }

  /** Resolves after commit. @throws ChatError UNAVAILABLE */
  advance(claim: CursorClaim): Promise<ClaimOutcome> {
    return this.calls.ask(claim);
  }

  /**
   * Moves the device's cursor, and with it the user's, of which the senders are told.
   *
   * @param receivedSeq the highest message the device got, as opposed to sent: sending moves no cursor of the user
   * @returns `unknown` also when the database was away twice
   */
  async prove(claim: CursorClaim, receivedSeq: number): Promise<ClaimOutcome> {
    try {
      const outcome = await this.advance(claim).catch(() => pause(retryMs).then(() => this.advance(claim)));
      if (outcome === 'moved') await this.tell(claim, receivedSeq);
      return outcome;
    } catch (error) {
      this.logger.debug(`a device's progress was not stored: ${String(error)}`);
      return 'unknown';
    }
  }

  private async tell({ conversationId, userId, seq, rev }: CursorClaim, receivedSeq: number): Promise<void> {
    if (receivedSeq === 0) return;
    // Changes up to `rev` include the birth of the device's own later messages, which the user's cursor leaves out.
    const changes = receivedSeq >= seq && rev > 0 ? { deliveredRev: rev } : {};
    await this.receipts.advance({ conversationId, userId, deliveredSeq: receivedSeq, ...changes });
  }
}

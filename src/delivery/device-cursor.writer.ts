import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { DeliveryReceipts } from '../conversations/index.js';
import { DeviceCursorRepository, type ClaimOutcome, type CursorClaim } from './device-cursor.repository.js';
import { GroupedCalls } from './grouped-calls.js';

const maxBatchClaims = 500;
// Nobody waits for the commit of a proof: what comes within this time shares a statement.
const proofPaceMs = 20;
const retryMs = 1_000;

/**
 * The group commit of device cursors: claims made while a statement is on its way are written
 * together by the next.
 *
 * A claim that cannot be written is only lost progress: the device gets the same again on its next
 * connection.
 */
@Injectable()
export class DeviceCursorWriter {
  private readonly logger = new Logger(DeviceCursorWriter.name);
  private readonly marks: GroupedCalls<CursorClaim, ClaimOutcome>;
  private readonly proofs: GroupedCalls<CursorClaim, ClaimOutcome>;

  constructor(
    repository: DeviceCursorRepository,
    private readonly receipts: DeliveryReceipts,
  ) {
    this.marks = new GroupedCalls((claims) => repository.advance(claims), maxBatchClaims);
    this.proofs = new GroupedCalls((claims) => repository.advance(claims), maxBatchClaims, 1, proofPaceMs);
  }

  /** Moves the cursor on the device's word. Resolves after commit. @throws ChatError UNAVAILABLE */
  advance(claim: CursorClaim): Promise<ClaimOutcome> {
    return this.marks.ask(claim);
  }

  /**
   * Moves the device's cursor, and with it the user's, of which the senders are told.
   *
   * @param receivedSeq the highest message the device got, as opposed to sent: sending moves no
   *   cursor of the user
   * @returns `unknown` also when the database was away twice
   */
  async prove(claim: CursorClaim, receivedSeq: number): Promise<ClaimOutcome> {
    try {
      const outcome = await this.proofs.ask(claim).catch(() => pause(retryMs).then(() => this.proofs.ask(claim)));
      if (outcome === 'moved') await this.tell(claim, receivedSeq);
      return outcome;
    } catch (error) {
      this.logger.debug(`a device's progress was not stored: ${String(error)}`);
      return 'unknown';
    }
  }

  private async tell({ conversationId, userId, seq, rev }: CursorClaim, receivedSeq: number): Promise<void> {
    if (receivedSeq === 0) return;
    // Changes up to `rev` include the birth of the device's own later messages, which the user's
    // cursor leaves out.
    const changes = receivedSeq >= seq && rev > 0 ? { deliveredRev: rev } : {};
    await this.receipts.advance({ conversationId, userId, deliveredSeq: receivedSeq, ...changes });
  }
}

import { Injectable } from '@nestjs/common';

/**
 * Whose read cursors a user may not see (`privacy.readReceipts`).
 *
 * Called whenever conversations or receipts are shown, for each viewer; not for a user's own
 * cursor, which he always sees. Must be cheap: a group's event asks once per connected participant.
 * A throw fails what asked (for an event: it is logged and not sent).
 *
 * @since 0.1.0
 */
export abstract class ReceiptVisibility {
  /** @returns those of `userIds` whose `readSeq` the viewer is shown as 0 */
  abstract hiddenFrom(viewerId: string, userIds: string[]): Promise<ReadonlySet<string>>;
}

const none: ReadonlySet<string> = new Set();

/** Used where no feature provides {@link ReceiptVisibility}: hides nothing. */
@Injectable()
export class OpenReceiptVisibility extends ReceiptVisibility {
  override hiddenFrom(): Promise<ReadonlySet<string>> {
    return Promise.resolve(none);
  }
}

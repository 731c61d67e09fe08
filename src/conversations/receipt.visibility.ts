import { Injectable } from '@nestjs/common';

/** Which cursors of a user a viewer may not see: the read one, or both. */
export type Withheld = 'read' | 'both';

/** By user id; who is missing is shown whole. */
export type WithheldReceipts = ReadonlyMap<string, Withheld>;

/**
 * Whose receipts a user may not see (`privacy.readReceipts`, blocks).
 *
 * Called whenever conversations or receipts are shown, for each viewer; not for a user's own
 * cursors, which they always see. Must be cheap: each receipt of a group asks for all connected
 * participants. It answers at once where memory suffices. A rejection fails what asked (for an
 * event: it is logged and not sent).
 *
 * @since 0.1.0
 */
export abstract class ReceiptVisibility {
  /** @returns by id of the users, what one viewer may not see of them */
  abstract withheldFrom(viewerId: string, userIds: readonly string[]): WithheldReceipts | Promise<WithheldReceipts>;
  /** @returns by id of the viewers, what they may not see of one user */
  abstract withheldOf(userId: string, viewerIds: readonly string[]): WithheldReceipts | Promise<WithheldReceipts>;
}

export const nothingWithheld: WithheldReceipts = new Map();

/** Used where no feature provides {@link ReceiptVisibility}: withholds nothing. */
@Injectable()
export class OpenReceiptVisibility extends ReceiptVisibility {
  override withheldFrom(): WithheldReceipts {
    return nothingWithheld;
  }

  override withheldOf(): WithheldReceipts {
    return nothingWithheld;
  }
}

/** Cursors as a viewer may see them; what is withheld is 0. */
export function cursorsSeen<T extends { deliveredSeq: number; readSeq: number }>(cursors: T, withheld?: Withheld): T {
  if (!withheld) return cursors;
  return { ...cursors, deliveredSeq: withheld === 'both' ? 0 : cursors.deliveredSeq, readSeq: 0 };
}

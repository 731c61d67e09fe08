import { Injectable } from '@nestjs/common';
import type { SqlRunner } from '../database/index.js';
import { directKeyOf } from './direct-key.js';

/** Reads who may be added to groups by whom (contract, section 10.3). */
@Injectable()
export class GroupConsentRepository {
  /**
   * Those of the users whom a user may add to a group: there is no block between the two, and the
   * other one's `privacy.groups` allows it. `contacts` means whom they have accepted by contact or
   * by direct conversation (ADR-0027).
   *
   * By primary keys and `conversations_direct_key`, a few probes a user.
   *
   * @param tx the transaction that adds them: nothing is judged by memory
   * @returns in the order of `userIds`; who was never seen has the default, `everyone`
   */
  async consenting(tx: SqlRunner, callerId: string, userIds: readonly string[]): Promise<string[]> {
    if (userIds.length === 0) return [];
    const directKeys = userIds.map((userId) => directKeyOf(callerId, userId));
    const rows = await tx.rows<{ id: string }>(
      `SELECT t.id
       FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (id, direct_key, n)
       LEFT JOIN users u ON u.id = t.id
       WHERE NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = t.id AND b.blocked_id = $1)
         AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = $1 AND b.blocked_id = t.id)
         AND CASE coalesce(u.privacy_groups, 'everyone')
               WHEN 'everyone' THEN true
               WHEN 'contacts' THEN
                 EXISTS (SELECT 1 FROM contacts k WHERE k.user_id = t.id AND k.contact_id = $1)
                 OR EXISTS (
                   SELECT 1 FROM conversations c JOIN participants p ON p.conversation_id = c.id AND p.user_id = t.id
                   WHERE c.direct_key = t.direct_key AND p.accepted_seq IS NOT NULL)
               ELSE false
             END
       ORDER BY t.n`,
      [callerId, userIds, directKeys],
    );
    return rows.map(({ id }) => id);
  }
}

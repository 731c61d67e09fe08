/**
 * Names the direct conversation of a pair (`conversations.direct_key`): the same for both orders,
 * and unambiguous whatever characters the ids have.
 */
export function directKeyOf(userId: string, otherId: string): string {
  return JSON.stringify([userId, otherId].sort());
}

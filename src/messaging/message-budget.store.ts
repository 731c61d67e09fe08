/** A user's rate: `burst` messages at once, `perSecond` over time. */
export interface MessageRate {
  perSecond: number;
  burst: number;
}

/** Messages a node may let through, or how long until there is one. */
export type BudgetGrant = { granted: number; waitMs: 0 } | { granted: 0; waitMs: number };

/**
 * Holds the message budget of each user, over all nodes.
 *
 * What is granted is spent, whether the node uses it or not: all nodes together never let through
 * more than the rate. A store that was emptied starts with whole budgets.
 */
export abstract class MessageBudgetStore {
  /**
   * Takes up to `wanted` messages out of a user's budget, atomically.
   *
   * @returns at least one granted, or the milliseconds until there will be one
   */
  abstract lease(userId: string, wanted: number, rate: MessageRate): Promise<BudgetGrant>;
}

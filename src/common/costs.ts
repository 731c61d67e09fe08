import { SetMetadata } from '@nestjs/common';
import type { PayloadLimits } from './payload-limits.js';

const costMetadata = 'parley:cost';
const itemsPerUnit = 50;
const maxIdUnits = 10;

/**
 * Computes the cost units of an event or a request (contract, section 7).
 *
 * Called for every event, and for every request with a good token, before anything is validated. It
 * must be cheap and must not throw. A malformed payload costs 1; validation refuses it later.
 *
 * @param asked the payload of an event; of a request the query (GET, DELETE) or else the body
 * @returns at least 1
 */
export type CostOf = (asked: unknown, limits: PayloadLimits) => number;

/**
 * Declares the cost of a gateway's event or a controller's route, for the budgets of a socket and
 * of a user (ADR-0025). Without it an event costs 1, and a request 1 per 50 of its `limit`.
 *
 * @example
 * ```ts
 * @Costs(5)
 * @SubscribeMessage('count-votes')
 * ```
 */
export function Costs(cost: number | CostOf): MethodDecorator {
  return SetMetadata(costMetadata, typeof cost === 'number' ? () => cost : cost);
}

/** The cost that a handler declares, or undefined. */
export function declaredCost(handler: object): CostOf | undefined {
  return Reflect.getMetadata(costMetadata, handler) as CostOf | undefined;
}

/** 1 per 50 items of the page's `limit`. */
export function byPage(defaultLimit = itemsPerUnit): CostOf {
  return (asked, { maxPageSize }) => {
    const given = propertyOf(asked, 'limit') ?? defaultLimit;
    // A query contains it as text.
    const limit = typeof given === 'string' ? Number(given) : given;
    const isLimit = typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= maxPageSize;
    return isLimit ? Math.ceil(limit / itemsPerUnit) : 1;
  };
}

/** 1 per 50 ids, at most 10: of a bare array, of `userIds` (in a query `a,b`), and of `userId`. */
export const byIds: CostOf = (asked) => {
  const count = Array.isArray(asked)
    ? asked.length
    : idsIn(propertyOf(asked, 'userIds')) + idsIn(propertyOf(asked, 'userId'));
  return Math.min(maxIdUnits, Math.max(1, Math.ceil(count / itemsPerUnit)));
};

function idsIn(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'string' ? value.split(',', maxIdUnits * itemsPerUnit).length : 0;
}

function propertyOf(asked: unknown, name: string): unknown {
  const value = typeof asked === 'object' && asked !== null ? (asked as Record<string, unknown>)[name] : undefined;
  return value === '' || value === null ? undefined : value;
}

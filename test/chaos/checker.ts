import type { Entry } from './history.js';
import { checkAnswers, checkRefusals } from './checks/answers.check.js';
import { checkCampaign } from './checks/campaign.check.js';
import { checkDeletions } from './checks/deletions.check.js';
import { checkCaughtUp, checkLive } from './checks/delivery.check.js';
import { checkNodes } from './checks/nodes.check.js';
import { checkOrder, checkSeq } from './checks/order.check.js';
import { checkPresence } from './checks/presence.check.js';
import { checkReceipts } from './checks/receipts.check.js';
import { RecordedRun } from './checks/recorded-run.js';
import { checkLost, checkTwice } from './checks/stored.check.js';
import type { Violation } from './violation.js';

const checks = [
  checkLost,
  checkTwice,
  checkSeq,
  checkOrder,
  checkCaughtUp,
  checkLive,
  checkReceipts,
  checkDeletions,
  checkAnswers,
  checkRefusals,
  checkNodes,
  checkPresence,
  checkCampaign,
];

/**
 * Judges a recorded run by the contract, from nothing but its history.
 *
 * Where the contract gives a bound, the check adds what it states beside its constant for a busy
 * machine.
 *
 * @returns what the run must not show; empty: it held
 */
export function check(entries: readonly Entry[]): Violation[] {
  const run = new RecordedRun(entries);
  return checks.flatMap((one) => one(run));
}

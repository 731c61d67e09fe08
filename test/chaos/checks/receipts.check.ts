import type { Violation } from '../violation.js';
import { type Numbered, type RecordedRun } from './recorded-run.js';

type Receipt = Numbered<'receipt'>;
type Cursor = 'delivered' | 'read';

/**
 * Receipts only grow, and "delivered" is never claimed for what no device of the user has
 * (guarantee 7).
 */
export function checkReceipts(run: RecordedRun): Violation[] {
  const receipts = run.of('receipt');
  return [
    ...wentBack(run, receipts, 'delivered'),
    ...wentBack(run, receipts, 'read'),
    ...storedBelow(run, receipts),
    ...claimedTooMuch(run, receipts),
  ];
}

/**
 * An answer is not below what anybody had seen when it was asked for; what one connection is pushed
 * never falls.
 */
function wentBack(run: RecordedRun, receipts: readonly Receipt[], cursor: Cursor): Violation[] {
  const highest = new Map<string, { at: number; value: number }[]>();
  const pushed = new Map<string, number>();
  return receipts.flatMap((receipt) => {
    const value = receipt[cursor];
    if (value === undefined) return [];
    const { d, n, c, user, via, a, at, t } = receipt;
    const lane = `${d} ${n} ${c} ${user}`;
    const heights = highest.get(`${c} ${user}`) ?? highest.set(`${c} ${user}`, []).get(`${c} ${user}`)!;
    const floor = via === 'live' ? (pushed.get(lane) ?? 0) : heightAt(heights, run.asks.get(a!)?.at ?? 0);
    if (via === 'live') pushed.set(lane, Math.max(floor, value));
    if (value > (heights.at(-1)?.value ?? 0)) heights.push({ at, value });
    if (value >= floor) return [];
    return [
      { kind: 'receipt' as const, t, what: `${d} ${via}: ${cursor} of ${user} in ${c} is ${value}, was ${floor}` },
    ];
  });
}

function heightAt(heights: readonly { at: number; value: number }[], at: number): number {
  return heights.findLast((one) => one.at < at)?.value ?? 0;
}

function storedBelow(run: RecordedRun, receipts: readonly Receipt[]): Violation[] {
  const claimed = new Map<string, number>();
  for (const { c, user, ...receipt } of receipts) {
    for (const cursor of ['delivered', 'read'] as const) {
      const key = `${cursor} ${c} ${user}`;
      claimed.set(key, Math.max(receipt[cursor] ?? 0, claimed.get(key) ?? 0));
    }
  }
  const lastSeqs = new Map(run.of('stored-conversation').map(({ c, lastSeq }) => [c, lastSeq]));
  return run.of('stored-cursor').flatMap(({ c, user, delivered, read, t }) => {
    const told = [claimed.get(`delivered ${c} ${user}`) ?? 0, claimed.get(`read ${c} ${user}`) ?? 0] as const;
    const isBelow = delivered < told[0] || read < told[1];
    const isUnordered = read > delivered || delivered > (lastSeqs.get(c) ?? Infinity);
    if (!isBelow && !isUnordered) return [];
    const what = `${user} in ${c}: stored delivered ${delivered}, read ${read}; told ${told.join(', ')}`;
    return [{ kind: 'receipt' as const, t, what }];
  });
}

/**
 * All others' messages up to what is claimed have been shown by a device of the user, unless they
 * were deleted first.
 */
function claimedTooMuch(run: RecordedRun, receipts: readonly Receipt[]): Violation[] {
  const firstShown = new Map<string, number>();
  for (const { d, id, at } of run.sightings) {
    const key = `${run.users.get(d)} ${id}`;
    if (!firstShown.has(key)) firstShown.set(key, at);
  }
  const checkedUpTo = new Map<string, number>();
  return receipts.flatMap(({ c, user, delivered = 0, at, t }) => {
    const from = checkedUpTo.get(`${c} ${user}`) ?? 0;
    if (delivered <= from) return [];
    checkedUpTo.set(`${c} ${user}`, delivered);
    const claimed = (run.storedByConversation.get(c) ?? []).slice(from, delivered);
    return claimed
      .filter(
        ({ sender, text, id }) =>
          sender !== user && text !== null && !((firstShown.get(`${user} ${id}`) ?? Infinity) < at),
      )
      .map(({ seq }) => ({
        kind: 'receipt' as const,
        t,
        what: `${user} in ${c}: delivered ${delivered} claimed, no device had ${seq}`,
      }));
  });
}

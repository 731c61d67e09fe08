import { ChatError, invalid } from '../common/index.js';
import { hasIdShape } from '../conversations/index.js';
import { decodePosition, encodePosition, isOfPresent, type DatabasePast } from '../database/index.js';

/** The kinds of things a sync tells of, in the order in which it does. */
export const syncParts = ['removed', 'conversations', 'messages', 'hidden', 'receipts'] as const;
export type SyncPart = (typeof syncParts)[number];

/** Where the next page of a sync goes on. */
export interface SyncPlace {
  part: SyncPart;
  /** Sort key of the last item shown of this part; null: its beginning. */
  after: readonly [conversationId: string, second: string | number] | null;
}

/** A sync on its way: its end was fixed at its first page. */
export interface SyncPass {
  /** Everything by transactions from this id on is told; 0: everything there is. */
  sinceXid: number;
  /** The snapshot of the first page, as Postgres writes it; null: this is the first page. */
  snapshot: string | null;
  epoch: string | null;
  place: SyncPlace;
}

const beginning: SyncPlace = { part: syncParts[0], after: null };

/** Makes the token of the next page. */
export function encodePass({ sinceXid, snapshot, epoch, place }: SyncPass): string {
  const parts = [2, epoch, sinceXid, snapshot, syncParts.indexOf(place.part), ...(place.after ?? [])];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The token to sync from after the last page: the position of the pass' snapshot. */
export function encodeEnd(epoch: string, snapshot: string): string {
  return encodePosition({ epoch, xmin: Number(snapshot.split(':')[0]) });
}

/**
 * Reads what a client sends back.
 *
 * @param now a token of another epoch, or from beyond the present or a past that was undone (the
 *   database was restored), begins a full sync
 * @throws ChatError VALIDATION_FAILED for what was never handed out
 */
export function decodeSince(since: string | null, now: DatabasePast): SyncPass {
  if (since === null) return fullPass();
  const position = decodePosition(since);
  if (position) {
    const { epoch, xmin } = position;
    return isOfPresent(epoch, xmin, now) ? { ...fullPass(), sinceXid: xmin } : fullPass();
  }
  const pass = decodePass(since);
  const highestXid = Math.max(pass.sinceXid, snapshotEnd(pass.snapshot!));
  return isOfPresent(pass.epoch!, highestXid, now) ? pass : fullPass();
}

function fullPass(): SyncPass {
  return { sinceXid: 0, snapshot: null, epoch: null, place: beginning };
}

function snapshotEnd(snapshot: string): number {
  return Number(snapshot.split(':')[1]);
}

function decodePass(token: string): SyncPass {
  const parts = parse(token);
  const [version, epoch, sinceXid, snapshot, partIndex, ...after] = parts;
  const part = syncParts[partIndex as number];
  const isPass = version === 2 && typeof epoch === 'string' && isXid(sinceXid) && isSnapshot(snapshot);
  if (!isPass || part === undefined) throw foreign();
  return { sinceXid, snapshot, epoch, place: { part, after: keyOf(part, after) } };
}

function parse(token: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(parts)) return parts;
  } catch {
    // Answered below.
  }
  throw foreign();
}

function isXid(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * `xmin:xmax:xip,...` with what Postgres insists on: every xip in order, from xmin to below xmax.
 */
function isSnapshot(value: unknown): value is string {
  if (typeof value !== 'string' || !/^[1-9]\d{0,14}:\d{1,15}:(\d{1,15}(,\d{1,15})*)?$/.test(value)) return false;
  const [xmin, xmax, list] = value.split(':');
  const inProgress = list === '' ? [] : list!.split(',').map(Number);
  const isRising = inProgress.every((xid, i) => i === 0 || xid > inProgress[i - 1]!);
  const isWithin = inProgress.every((xid) => xid >= Number(xmin) && xid < Number(xmax));
  return isRising && isWithin && Number(xmin) <= Number(xmax);
}

function keyOf(part: SyncPart, after: unknown[]): SyncPlace['after'] {
  if (after.length === 0) return null;
  const [conversationId, second] = after;
  const isId = hasIdShape(conversationId);
  const isSecond = part === 'receipts' ? typeof second === 'string' : Number.isSafeInteger(second);
  if (after.length !== 2 || !isId || !isSecond) throw foreign();
  return [conversationId, second as string | number];
}

function foreign(): ChatError {
  return invalid('since', 'not a token of this service');
}

import { randomUUID } from 'node:crypto';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * A new UUIDv7 (RFC 9562): sorts by the millisecond of its creation.
 *
 * Node's own random UUID with the time put in front: version and variant stand in the same places.
 * The `uuid` package asks for random bytes each time and costs twenty times as much, which is a
 * fiftieth of a send.
 */
export function newId(): string {
  return timePrefix(Date.now()) + randomUUID().slice(15);
}

let prefixedMs = -1;
let prefix = '';

function timePrefix(nowMs: number): string {
  if (nowMs === prefixedMs) return prefix;
  const time = nowMs.toString(16).padStart(12, '0');
  prefixedMs = nowMs;
  prefix = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  return prefix;
}

/** A new random id for requests, nodes and sessions, whose age is nobody's business. */
export function newRandomId(): string {
  return randomUUID();
}

/**
 * Whether a string is a UUID in the one spelling this system hands out: lower case, with hyphens.
 */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && uuidPattern.test(value);
}

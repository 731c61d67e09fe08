import { randomUUID } from 'node:crypto';
import { v7 } from 'uuid';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A new UUIDv7 (RFC 9562): sorts by time of creation. */
export function newId(): string {
  return v7();
}

/** A new random id for requests, nodes and sessions, whose age is nobody's business. */
export function newRandomId(): string {
  return randomUUID();
}

/** Whether a string is a UUID in the one spelling this system hands out: lower case, with hyphens. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && uuidPattern.test(value);
}

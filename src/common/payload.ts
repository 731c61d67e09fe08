import { ChatError, invalid } from './chat-error.js';

/** Nesting above this is refused (contract, section 2). */
export const maxPayloadDepth = 32;
/** Keys and array elements of one payload above this are refused. */
export const maxPayloadNodes = 10_000;
/**
 * Keys of one object above this are refused unread: an object of ten thousand takes more than a
 * millisecond to walk.
 */
export const maxObjectKeys = 1_000;
/** Paths come from the client. */
const maxPathLength = 200;

// A NUL breaks in Postgres `text` and `json`; a lone surrogate has no UTF-8 form.
// eslint-disable-next-line no-control-regex
const suspicious = /[\u0000\ud800-\udfff]/;

/**
 * A fault on its way out of the walk: the path is put together only now, since most payloads have
 * none.
 */
class Fault {
  constructor(
    readonly message: string,
    public path: string | null,
  ) {}
}

interface Walk {
  nodes: number;
  maxKeys: number;
}

function faultOfText(value: string): Fault | null {
  if (!suspicious.test(value)) return null;
  if (value.includes('\u0000')) return new Fault('must not contain NUL characters', '');
  return value.isWellFormed() ? null : new Fault('must not contain lone surrogates', '');
}

/** Decoded JSON holds another number than was sent where that one does not fit. */
function faultOfNumber(value: number): Fault | null {
  if (!Number.isFinite(value)) return new Fault('must be a number that fits into a double', '');
  const isExact = !Number.isInteger(value) || Number.isSafeInteger(value);
  return isExact ? null : new Fault('must be an integer from -(2^53 - 1) to 2^53 - 1, or a text', '');
}

function faultOf(value: unknown, depth: number, walk: Walk): Fault | null {
  if (typeof value === 'string') return faultOfText(value);
  if (typeof value === 'number') return faultOfNumber(value);
  if (typeof value !== 'object' || value === null) return null;
  if (depth > maxPayloadDepth) return new Fault(`nested deeper than ${maxPayloadDepth}`, null);
  if (Array.isArray(value)) return faultOfArray(value, depth, walk);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return new Fault('binary data is not accepted', '');
  return faultOfObject(value as Record<string, unknown>, depth, walk);
}

function faultOfArray(value: unknown[], depth: number, walk: Walk): Fault | null {
  walk.nodes += value.length;
  if (walk.nodes > maxPayloadNodes) return tooMany;
  for (let i = 0; i < value.length; i++) {
    const fault = faultOf(value[i], depth + 1, walk);
    if (fault) return below(`${i}`, fault);
  }
  return null;
}

function faultOfObject(value: Record<string, unknown>, depth: number, walk: Walk): Fault | null {
  const keys = Object.keys(value);
  walk.nodes += keys.length;
  if (walk.nodes > maxPayloadNodes) return tooMany;
  if (keys.length > walk.maxKeys) return new Fault(`more than ${walk.maxKeys} properties`, '');
  for (const key of keys) {
    if (isReserved(key)) return new Fault('a reserved property name is not accepted', '');
    const faultOfKey = faultOfText(key);
    if (faultOfKey) return faultOfKey;
    const fault = faultOf(value[key], depth + 1, walk);
    if (fault) return below(key, fault);
  }
  return null;
}

const tooMany = Object.freeze(new Fault(`more than ${maxPayloadNodes} properties and elements`, null));

function isReserved(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

function below(name: string, fault: Fault): Fault {
  if (fault.path === null) return fault;
  fault.path = (fault.path === '' ? name : `${name}.${fault.path}`).slice(0, maxPathLength);
  return fault;
}

/**
 * Refuses payloads that would hurt further on, before anything expensive looks at them: nesting
 * deeper than {@link maxPayloadDepth}, more than {@link maxPayloadNodes} nodes, an object of more
 * keys than any payload needs, NUL, lone surrogates, numbers that do not fit, prototype keys,
 * binary.
 *
 * Costs one walk over the decoded value. Used by both doors, sockets and REST.
 *
 * @param maxKeys of one object; not below {@link maxObjectKeys}
 * @throws ChatError VALIDATION_FAILED
 */
export function assertHarmlessPayload(payload: unknown, maxKeys = maxObjectKeys): void {
  const fault = faultOf(payload, 1, { nodes: 0, maxKeys: Math.max(maxKeys, maxObjectKeys) });
  if (fault) throw invalid(fault.path ?? '', fault.message);
}

/**
 * Counts the keys of an open value, such as a message's content, on all levels, and stops above the
 * limit.
 *
 * @param path where the value stands in what the client sent
 * @throws ChatError VALIDATION_FAILED above `max`
 */
export function assertKeyCount(value: object, max: number, path: string): void {
  if (keysOf(value, 0, max) <= max) return;
  throw new ChatError('VALIDATION_FAILED', { details: [{ path, message: `at most ${max} properties on all levels` }] });
}

function keysOf(value: unknown, counted: number, max: number): number {
  if (typeof value !== 'object' || value === null) return counted;
  let count = counted;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && count <= max; i++) count = keysOf(value[i], count, max);
    return count;
  }
  for (const key in value) {
    count += 1;
    if (count > max) break;
    count = keysOf((value as Record<string, unknown>)[key], count, max);
  }
  return count;
}

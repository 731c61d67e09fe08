import { invalid } from './chat-error.js';

/** Nesting above this is refused (contract, section 2). */
export const maxPayloadDepth = 32;
/**
 * Keys and array elements of one payload above this are refused: class-transformer is quadratic in
 * unknown keys.
 */
export const maxPayloadNodes = 10_000;

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
// A NUL breaks in Postgres `text` and `json`; a lone surrogate has no UTF-8 form.
// eslint-disable-next-line no-control-regex
const suspicious = /[\u0000\ud800-\udfff]/;

function assertCleanString(value: string, path: string): void {
  if (!suspicious.test(value)) return;
  if (value.includes('\u0000')) throw invalid(path, 'must not contain NUL characters');
  if (!value.isWellFormed()) throw invalid(path, 'must not contain lone surrogates');
}

interface Walk {
  nodes: number;
}

function inspect(value: unknown, path: string, depth: number, walk: Walk): void {
  if (typeof value === 'string') return assertCleanString(value, path);
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxPayloadDepth) throw invalid('', `nested deeper than ${maxPayloadDepth}`);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) throw invalid(path, 'binary data is not accepted');
  if (Array.isArray(value)) {
    countNodes(walk, value.length);
    for (let i = 0; i < value.length; i++) inspect(value[i], path === '' ? `${i}` : `${path}.${i}`, depth + 1, walk);
    return;
  }
  const keys = Object.keys(value);
  countNodes(walk, keys.length);
  for (const key of keys) {
    if (forbiddenKeys.has(key)) throw invalid(path, 'a reserved property name is not accepted');
    assertCleanString(key, path);
    inspect((value as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`, depth + 1, walk);
  }
}

function countNodes(walk: Walk, count: number): void {
  walk.nodes += count;
  if (walk.nodes > maxPayloadNodes) throw invalid('', `more than ${maxPayloadNodes} properties and elements`);
}

/**
 * Refuses payloads that would hurt further on, before anything expensive looks at them: nesting
 * deeper than {@link maxPayloadDepth}, more than {@link maxPayloadNodes} nodes, NUL, lone
 * surrogates, prototype keys, binary.
 *
 * Costs one walk over the decoded value. Used by both doors, sockets and REST.
 *
 * @throws ChatError VALIDATION_FAILED
 */
export function assertHarmlessPayload(payload: unknown): void {
  inspect(payload, '', 1, { nodes: 0 });
}

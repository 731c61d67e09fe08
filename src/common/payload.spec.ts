import { describe, expect, it } from 'vitest';
import { assertHarmlessPayload, assertKeyCount, maxObjectKeys } from './payload.js';
import type { ChatError, ErrorDetail } from './chat-error.js';

function refusalOf(act: () => void): ErrorDetail | null {
  try {
    act();
    return null;
  } catch (error) {
    return (error as ChatError).details![0]!;
  }
}

const keys = (count: number, value: unknown = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));

describe('assertHarmlessPayload', () => {
  it('looks at no value of an object with too many keys, at whatever level it stands', () => {
    let reads = 0;
    const counting = Object.defineProperty(keys(maxObjectKeys), 'read', { enumerable: true, get: () => (reads += 1) });
    expect(refusalOf(() => assertHarmlessPayload(counting))).toEqual({
      path: '',
      message: expect.stringContaining('1000') as string,
    });
    expect(refusalOf(() => assertHarmlessPayload([{ a: counting }]))).toMatchObject({ path: '0.a' });
    expect(reads).toBe(0);
  });

  it('takes as many keys as the limit that it is given, and never fewer than 1,000', () => {
    expect(refusalOf(() => assertHarmlessPayload(keys(1_500), 1_500))).toBeNull();
    expect(refusalOf(() => assertHarmlessPayload(keys(1_501), 1_500))).not.toBeNull();
    expect(refusalOf(() => assertHarmlessPayload(keys(1_000), 5))).toBeNull();
  });

  it('counts the elements and keys of all levels together', () => {
    expect(refusalOf(() => assertHarmlessPayload(Array.from({ length: 4_999 }, () => ({ a: 1 }))))).toBeNull();
    expect(refusalOf(() => assertHarmlessPayload(Array.from({ length: 5_001 }, () => ({ a: 1 }))))).not.toBeNull();
  });

  it('names where a fault stands, in 200 characters at most', () => {
    expect(refusalOf(() => assertHarmlessPayload({ a: [1, { b: 'x\u0000' }] }))!.path).toBe('a.1.b');
    expect(refusalOf(() => assertHarmlessPayload({ a: { 'x\ud800': 1 } }))!.path).toBe('a');
    expect(refusalOf(() => assertHarmlessPayload({ ['x'.repeat(5_000)]: '\u0000' }))!.path).toHaveLength(200);
  });
});

describe('assertKeyCount', () => {
  it('counts keys on all levels, in arrays too, but no elements', () => {
    const value = { a: 1, b: [{ c: 1 }, [{ d: { e: 1 } }], 1, 2, 3] };
    expect(refusalOf(() => assertKeyCount(value, 5, 'content'))).toBeNull();
    expect(refusalOf(() => assertKeyCount(value, 4, 'content'))).toMatchObject({ path: 'content' });
  });

  it('stops above the limit', () => {
    let reads = 0;
    const value = Object.defineProperty(keys(10), 'last', { enumerable: true, get: () => (reads += 1) });
    expect(refusalOf(() => assertKeyCount(value, 10, 'content'))).not.toBeNull();
    expect(reads).toBe(0);
  });
});

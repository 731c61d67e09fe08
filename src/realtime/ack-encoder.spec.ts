import { Encoder, PacketType, type Packet } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import { EncodedOnce, encodeParts } from '../common/index.js';
import { AckEncoder } from './ack-encoder.js';

class Word extends EncodedOnce {
  readonly text = 'a "quoted" \u2028 word';
  readonly none = null;
  readonly missing = undefined;
}

function packet(answer: unknown, more: Partial<Packet> = {}): Packet {
  return { type: PacketType.ACK, nsp: '/', id: 7, data: [answer], ...more };
}

describe('AckEncoder', () => {
  it.each([
    ['a message', packet({ ok: true, data: { message: new Word() } })],
    ['a message and more', packet({ ok: true, data: { message: new Word(), duplicate: false, skip: undefined } })],
    ['an ack without a message', packet({ ok: true, data: { seq: 3 } })],
    ['an error', packet({ ok: false, error: { code: 'NOT_FOUND' } })],
    ['more than one argument', packet(1, { data: [{ ok: true, data: { message: new Word() } }, 2] })],
    ['an ack of another namespace', packet({ ok: true, data: { message: new Word() } }, { nsp: '/admin' })],
    ['an event', packet(0, { type: PacketType.EVENT, data: ['new-message', new Word()] })],
    ['nothing', packet(null)],
  ])('encodes %s as Socket.IO does', (_, one) => {
    expect(new AckEncoder().encode(one)).toEqual(new Encoder().encode(one));
  });
});

describe('EncodedOnce', () => {
  it('is encoded once, as JSON.stringify does', () => {
    const word = new Word();
    expect(word.json).toBe(JSON.stringify(word));
    expect(encodeParts({ word, list: [word], '"': 1, skip: undefined })).toBe(
      JSON.stringify({ word, list: [word], '"': 1, skip: undefined }),
    );
  });
});

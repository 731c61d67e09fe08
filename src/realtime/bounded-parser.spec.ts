import { expect, it } from 'vitest';
import type { Packet } from 'socket.io-parser';
import { boundedParser, OversizePayload } from './bounded-parser.js';

function decode(maxPacketBytes: number, ...parts: (string | Buffer)[]): unknown[] {
  const decoder = new (boundedParser(maxPacketBytes).Decoder)();
  const packets: Packet[] = [];
  decoder.on('decoded', (packet: Packet) => packets.push(packet));
  for (const part of parts) decoder.add(part);
  return packets.map(({ data }): unknown => data);
}

it('drops the payload of a packet above the limit and keeps its event', () => {
  const large = `21["send","${'x'.repeat(200)}"]`;
  expect(decode(100, large, `22["send","small"]`)).toEqual([
    ['send', new OversizePayload()],
    ['send', 'small'],
  ]);
});

it('counts bytes, not characters', () => {
  expect(decode(100, `21["send","${'é'.repeat(60)}"]`)).toEqual([['send', new OversizePayload()]]);
  expect(decode(100, `21["send","${'e'.repeat(60)}"]`)).toEqual([['send', 'e'.repeat(60)]]);
});

it('counts attachments', () => {
  const packet = '51-1["send",{"_placeholder":true,"num":0}]';
  expect(decode(100, packet, Buffer.alloc(90))).toEqual([['send', new OversizePayload()]]);
  expect(decode(100, packet, Buffer.alloc(10))).toEqual([['send', Buffer.alloc(10)]]);
});

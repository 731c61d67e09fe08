import { expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from './bus-frame.js';

it('gives back what was encoded, line feeds in the JSON included', () => {
  const frame = { from: 'n1', topic: 'message', json: '{"a":\n1}' };
  expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
});

it.each(['', 'x', '\n\n', 'n1\nmessage'])('takes %j for malformed', (text) => {
  expect(decodeFrame(text)).toBeNull();
});

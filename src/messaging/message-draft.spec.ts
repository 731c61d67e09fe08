import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AppendedMessage, type PendingMessage } from './message-draft.js';

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const contents = fc.oneof(
  fc.record({ text: words }),
  fc.dictionary(words, fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<Record<string, unknown>>,
);
const pendings: fc.Arbitrary<PendingMessage> = fc
  .record({
    id: fc.uuid(),
    conversationId: fc.uuid(),
    senderId: words,
    clientMessageId: fc.option(words),
    fingerprint: fc.constant(null),
    type: fc.constantFrom('text', 'acme.poll'),
    content: contents,
    replyTo: fc.option(fc.uuid()),
    mentions: fc.array(words, { maxLength: 3 }),
    expiresInSeconds: fc.constant(null),
    connectionId: fc.constant(null),
    turn: fc.constant(null),
  })
  .map((pending) => ({ ...pending, contentJson: JSON.stringify(pending.content) }));
const places = fc.record({
  seq: fc.nat(),
  rev: fc.nat(),
  createdAtMs: fc.integer({ min: 0, max: 4e12 }),
  expiresAtMs: fc.option(fc.integer({ min: 0, max: 4e12 })),
});

it('puts together exactly what JSON.stringify says of a message, whatever people write', () => {
  fc.assert(
    fc.property(pendings, places, (pending, place) => {
      const message = new AppendedMessage(pending, place);
      expect(JSON.parse(message.json)).toEqual(JSON.parse(JSON.stringify(message)));
      expect(Object.keys(JSON.parse(message.json) as object).sort()).toEqual(Object.keys(message).sort());
    }),
  );
});

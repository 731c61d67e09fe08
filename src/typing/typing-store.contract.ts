import assert from 'node:assert/strict';
import type { TypingStore } from './typing.store.js';

export interface TypingStoreSubject {
  store: TypingStore;
  /** A second node's view of the same state; the same object where there is one process only. */
  other: TypingStore;
  /** Lets the store's clock advance. */
  advance(ms: number): Promise<void>;
  /** A conversation no other case knows. */
  conversationId: string;
}

/** One promise of {@link TypingStore}; runs under any test runner, and throws when it is broken. */
export interface TypingStoreCase {
  name: string;
  check(subject: TypingStoreSubject): Promise<void>;
}

/** The settings the subject's store must have. */
export const typingContractSettings = { typingTtlMs: 150 };

const { typingTtlMs: ttlMs } = typingContractSettings;

function scene({ store, other, conversationId }: TypingStoreSubject) {
  const start = (userId: string, connectionId = userId) => store.start({ conversationId, userId, connectionId });
  const stop = (userId: string, connectionId: string | null = null) => store.stop(conversationId, userId, connectionId);
  const swept = async (by = other) =>
    (await by.sweep()).filter((end) => end.conversationId === conversationId).map(({ userId }) => userId);
  return { start, stop, swept };
}

/** The cases that every backend of {@link TypingStore} must pass. */
export const typingStoreContract: TypingStoreCase[] = [
  {
    name: 'begins once, goes on without beginning, and lists who types',
    async check(subject) {
      const { start } = scene(subject);
      const first = await start('alice');
      assert.deepEqual([first.began, first.userIds], [true, ['alice']]);
      const again = await start('alice');
      assert.deepEqual([again.began, again.userIds], [false, ['alice']]);
      assert.ok(again.endsAtMs >= first.endsAtMs);
      assert.deepEqual((await start('bob')).userIds, ['alice', 'bob']);
      assert.deepEqual(await subject.other.typingIn(subject.conversationId), ['alice', 'bob']);
    },
  },
  {
    name: 'ends once by a stop, and says who still types',
    async check(subject) {
      const { start, stop } = scene(subject);
      const { conversationId } = subject;
      await start('alice');
      await start('bob');
      const end = await stop('alice');
      assert.deepEqual(end, { conversationId, userId: 'alice', atUs: end?.atUs, userIds: ['bob'] });
      assert.equal(await stop('alice'), null);
      assert.deepEqual(await subject.store.typingIn(conversationId), ['bob']);
    },
  },
  {
    name: 'ends by itself, handed out to one caller only',
    async check(subject) {
      const { start, swept } = scene(subject);
      await start('alice');
      assert.deepEqual(await swept(), []);
      await subject.advance(ttlMs + 20);
      assert.deepEqual(await subject.store.typingIn(subject.conversationId), []);
      const found = await Promise.all([swept(), swept(subject.store), swept()]);
      assert.deepEqual(found.flat(), ['alice']);
    },
  },
  {
    name: 'lasts longer when it is started again',
    async check(subject) {
      const { start, swept } = scene(subject);
      await start('alice');
      await subject.advance(ttlMs / 2);
      await start('alice');
      await start('bob');
      await subject.advance(ttlMs / 2 + 20);
      assert.deepEqual(await swept(), []);
      await subject.advance(ttlMs / 2 + 20);
      assert.deepEqual((await swept()).sort(), ['alice', 'bob']);
    },
  },
  {
    name: 'lets a user type as long as one of their sockets does',
    async check(subject) {
      const { start, stop, swept } = scene(subject);
      assert.equal((await start('alice', 'phone')).began, true);
      assert.equal((await start('alice', 'laptop')).began, false);
      assert.equal(await stop('alice', 'phone'), null);
      assert.equal(await stop('alice', 'phone'), null);
      assert.notEqual(await stop('alice', 'laptop'), null);
      await start('alice', 'phone');
      await subject.advance(ttlMs / 2);
      await start('alice', 'laptop');
      await subject.advance(ttlMs / 2 + 20);
      assert.deepEqual(await swept(), []);
      assert.notEqual(await stop('alice'), null);
    },
  },
  {
    name: 'goes on when it is started after its end and before anybody heard of that',
    async check(subject) {
      const { start, swept } = scene(subject);
      await start('alice');
      await subject.advance(ttlMs + 20);
      assert.equal((await start('alice')).began, false);
      assert.deepEqual(await swept(), []);
    },
  },
  {
    name: 'says in which order a typist began and ended, whichever node was told',
    async check(subject) {
      const { start, stop, swept } = scene(subject);
      const times = [(await start('alice')).atUs, (await stop('alice'))?.atUs, (await start('alice')).atUs];
      await subject.advance(ttlMs + 20);
      const ends = await subject.other.sweep();
      times.push(ends.find(({ conversationId }) => conversationId === subject.conversationId)?.atUs);
      assert.deepEqual(await swept(), []);
      for (let i = 1; i < times.length; i++) assert.ok(times[i]! > times[i - 1]!, `not in order: ${times.join(', ')}`);
    },
  },
  {
    name: 'keeps conversations apart, and takes user ids of any printable characters',
    async check(subject) {
      const { store, conversationId } = subject;
      await store.start({ conversationId, userId: 'a lice {}', connectionId: 'c' });
      assert.deepEqual(await store.typingIn(conversationId), ['a lice {}']);
      assert.deepEqual(await store.typingIn(`${conversationId}-other`), []);
    },
  },
];

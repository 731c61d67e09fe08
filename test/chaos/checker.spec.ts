import { describe, expect, it } from 'vitest';
import { check } from './checker.js';
import type { Ask, Entry, Fact, SawMessage, StoredMessage } from './history.js';
import type { ViolationKind } from './violation.js';

const c = 'c';
const presenceTtlMs = 30_000;
const quietT = 60_000;
/** TTL, sweep and slack have passed. */
const settledT = quietT + 40_000;
const endT = settledT + 60_000;

/**
 * Alice's phone sends to Bob's two devices over a minute; a fault comes and goes; everything holds.
 */
class Story {
  facts: Entry[] = [];
  private asks = 0;

  at(t: number, ...facts: Fact[]): this {
    this.facts.push(...facts.map((fact) => ({ t, ...fact })));
    return this;
  }

  /** A request and, by default, its answer 10 ms later. */
  ask(t: number, ask: Omit<Ask, 'k' | 'a' | 'n'> & { n?: number }, answer: object | null = {}): number {
    const a = (this.asks += 1);
    this.at(t, { n: 1, ...ask, k: 'ask', a });
    if (answer) this.at(t + 10, { k: 'answer', d: ask.d, a, ok: true, ...answer });
    return a;
  }

  send(t: number, seq: number, more: { n?: number; key?: string; rev?: number } = {}): void {
    const key = more.key ?? `m${seq}`;
    const answer = { id: `m${seq}`, seq, rev: more.rev ?? seq, duplicate: false };
    this.ask(t, { d: 'alice-1', event: 'send-message', c, key, text: key, ...more }, answer);
  }

  saw(t: number, d: string, seq: number, more: Partial<SawMessage> = {}): this {
    const message = { c, id: `m${seq}`, seq, rev: seq, text: `m${seq}`, reactions: [] };
    return this.at(t, { k: 'saw', d, n: 1, via: 'live', isNew: true, ...message, ...more });
  }

  entries(): Entry[] {
    // Stored rows are noted at the end, wherever the story mentions them.
    const rank = ({ k }: Entry) => (k.startsWith('stored') ? 1 : 0);
    return this.facts
      .map((entry, i) => ({ entry, i }))
      .sort((a, b) => rank(a.entry) - rank(b.entry) || a.entry.t - b.entry.t || a.i - b.i)
      .map(({ entry }) => entry);
  }
}

function stored(seq: number, more: Partial<StoredMessage> = {}): StoredMessage {
  const message = { c, id: `m${seq}`, seq, rev: seq, sender: 'alice', key: `m${seq}`, text: `m${seq}`, reactions: [] };
  return { k: 'stored-message', ...message, ...more };
}

const count = 5;
const devices = ['alice-1', 'bob-1', 'bob-2'] as const;

function goodStory(): Story {
  const story = new Story();
  story.at(0, { k: 'run', seed: 1, minutes: 1 / 60, sendsPerSecond: count, presenceTtlMs });
  story.at(0, { k: 'conversation', c, users: ['alice', 'bob'] }, { k: 'fault-planned', i: 0, name: 'f' });
  for (const d of devices)
    story.at(1, { k: 'device', d, user: d.split('-')[0]!, mode: 'auto' }, { k: 'open', d, n: 1 });
  story.at(5_000, { k: 'fault-begin', i: 0, name: 'f', target: 'x', hit: 1, startedAt: 5_000 });
  story.at(6_000, { k: 'fault-end', i: 0, name: 'f' });
  for (let seq = 1; seq <= count; seq++) {
    story.send(seq * 1_000, seq);
    for (const d of devices) story.saw(seq * 1_000 + 10, d, seq, d === 'alice-1' ? { via: 'answer', a: seq } : {});
  }
  story.at(20_000, receipt({ delivered: 2, read: 1 }), receipt({ delivered: count, read: count }));
  story.at(quietT, { k: 'quiet', unsent: 0 }).at(quietT + 1_000, { k: 'settled', waitedMs: 1_000 });
  for (const d of devices) story.ask(endT, { d, event: 'heartbeat' });
  for (let seq = 1; seq <= count; seq++) story.at(endT + 20, stored(seq));
  story.at(endT + 20, { k: 'stored-conversation', c, lastSeq: count, lastRev: count });
  return story.at(endT + 20, { k: 'stored-cursor', c, user: 'bob', delivered: count, read: count });
}

function receipt(cursors: { delivered?: number; read?: number }, more: object = {}): Fact {
  return { k: 'receipt', d: 'alice-1', n: 1, via: 'live', c, user: 'bob', ...cursors, ...more };
}

/** Changes the entries that match. */
function change(story: Story, matches: (entry: Entry) => boolean, changes: object): Story {
  story.facts = story.facts.map((entry) => (matches(entry) ? { ...entry, ...changes } : entry));
  return story;
}

function without(story: Story, matches: (entry: Entry) => boolean): Story {
  story.facts = story.facts.filter((entry) => !matches(entry));
  return story;
}

const isStored = (seq: number) => (entry: Entry) => entry.k === 'stored-message' && entry.seq === seq;
const isSeen = (d: string, seq: number) => (entry: Entry) => entry.k === 'saw' && entry.d === d && entry.seq === seq;

function kindsIn(story: Story): ViolationKind[] {
  return [...new Set(check(story.entries()).map(({ kind }) => kind))];
}

function ask(story: Story, t: number, event: string, about: object, answer: object | null = {}): number {
  return story.ask(t, { d: 'alice-1', event, c, ...about }, answer);
}

/** Alice deletes her third message; everybody receives the event. */
function deletion(): Story {
  const story = change(goodStory(), isStored(count), { text: null, rev: count + 1 });
  change(story, ({ k }) => k === 'stored-conversation', { lastRev: count + 1 });
  ask(story, 30_000, 'delete-message', { id: `m${count}` });
  for (const d of devices) story.saw(30_010, d, count, { text: null, rev: count + 1, isNew: false });
  return story;
}

/** Bob goes, in the quiet at the end. */
function farewell(heard: number): Story {
  const story = goodStory().at(settledT + 5_000, { k: 'leave', d: 'bob-1' }, { k: 'leave', d: 'bob-2' });
  for (const d of ['bob-1', 'bob-2']) story.at(settledT + 5_001, { k: 'close', d, n: 1, why: 'io client disconnect' });
  without(story, (entry) => entry.k === 'ask' && entry.d.startsWith('bob') && entry.event === 'heartbeat');
  for (let i = 0; i < heard; i++) {
    story.at(settledT + 8_100, { k: 'presence-event', d: 'alice-1', n: 1, user: 'bob', status: 'offline' });
  }
  return story;
}

function askedPresence(t: number, status: 'online' | 'offline' | 'unknown', story = goodStory()): Story {
  const a = story.ask(t, { d: 'alice-1', event: 'get-presence' });
  return story.at(t + 10, { k: 'presence', d: 'alice-1', a, user: 'bob', status });
}

const planted: [ViolationKind, string, () => Story][] = [
  ['lost', 'an acked send that is not stored', () => without(goodStory(), isStored(count))],
  ['lost', 'an acked send stored as another', () => change(goodStory(), isStored(2), { key: 'other' })],
  [
    'lost',
    'an acked edit that is not stored',
    () => {
      const story = goodStory();
      ask(story, 30_000, 'edit-message', { id: 'm2', text: 'new' }, { id: 'm2', seq: 2, rev: 6 });
      return story;
    },
  ],
  ['lost', 'an acked deletion that is not stored', () => change(deletion(), isStored(count), { text: 'm5' })],
  ['twice', 'two rows of one clientMessageId', () => change(goodStory(), isStored(2), { key: 'm1' })],
  [
    'twice',
    'two ids acked for one clientMessageId',
    () => {
      const story = goodStory();
      story.send(30_000, 4, { key: 'm3' });
      return story;
    },
  ],
  ['seq', 'a hole', () => without(goodStory(), isStored(2))],
  ['seq', 'a repeat', () => change(goodStory(), isStored(3), { seq: 2 })],
  ['seq', 'two observers with another message at a seq', () => change(goodStory(), isSeen('bob-1', 3), { seq: 4 })],
  ['seq', 'a message nobody stored', () => goodStory().saw(30_000, 'bob-1', 9)],
  [
    'order',
    'sends of one connection that changed places',
    () => {
      const story = goodStory();
      story.send(900, 2, { key: 'm2' });
      return without(story, (entry) => entry.k === 'ask' && entry.key === 'm2' && entry.t === 2_000);
    },
  ],
  [
    'order',
    'news in another order than that of seq',
    () => change(change(goodStory(), isSeen('bob-1', 2), { t: 3_100 }), isSeen('bob-1', 3), { t: 3_050 }),
  ],
  ['order', 'news before older news', () => change(goodStory(), isSeen('bob-1', 3), { t: 50_000, via: 'answer' })],
  ['behind', 'a device that lacks a message', () => without(goodStory(), isSeen('bob-2', 3))],
  [
    'behind',
    'a device that shows what was edited since',
    () => change(goodStory(), isStored(3), { text: 'edited', rev: 6 }),
  ],
  [
    'behind',
    'a device that lacks a reaction',
    () => change(goodStory(), isStored(3), { reactions: ['👍 bob'], rev: 6 }),
  ],
  ['late', 'a message shown long after', () => change(goodStory(), isSeen('bob-1', 5), { t: 50_000 })],
  ['receipt', 'a pushed cursor that went back', () => goodStory().at(21_000, receipt({ delivered: 3 }))],
  [
    'receipt',
    'an answer below what was known when it was asked for',
    () => {
      const story = goodStory();
      const a = story.ask(21_000, { d: 'bob-2', event: 'sync' });
      return story.at(21_010, receipt({ read: 2 }, { d: 'bob-2', via: 'answer', a }));
    },
  ],
  [
    'receipt',
    'a stored cursor below what was told',
    () => change(goodStory(), ({ k }) => k === 'stored-cursor', { read: 4 }),
  ],
  [
    'receipt',
    'delivered claimed before any device had it',
    () => change(goodStory(), (entry) => entry.k === 'receipt', { t: 4_500 }),
  ],
  ['deleted', 'content pushed again', () => deletion().saw(31_000, 'bob-1', count)],
  [
    'deleted',
    'content pushed to a later connection',
    () => deletion().at(40_000, { k: 'open', d: 'bob-1', n: 2 }).saw(40_100, 'bob-1', count, { n: 2 }),
  ],
  [
    'deleted',
    'content in an answer to a later question',
    () => {
      const story = deletion();
      const a = story.ask(31_000, { d: 'bob-2', event: 'sync' });
      return story.saw(31_010, 'bob-2', count, { via: 'answer', a });
    },
  ],
  [
    'unanswered',
    'an event that a long-lived connection never answered',
    () => {
      const story = goodStory();
      ask(story, 30_000, 'mark-read', { seq: 1 }, null);
      return story;
    },
  ],
  [
    'unanswered',
    'an event of a connection that answered later ones before it closed',
    () => {
      const story = goodStory().at(30_000, { k: 'open', d: 'bob-1', n: 2 });
      story.ask(30_001, { d: 'bob-1', n: 2, event: 'mark-read' }, null);
      story.ask(40_000, { d: 'bob-1', n: 2, event: 'heartbeat' });
      return story.at(50_000, { k: 'close', d: 'bob-1', n: 2, why: 'transport close' });
    },
  ],
  [
    'refused',
    'an internal error',
    () => {
      const story = goodStory();
      ask(story, 30_000, 'heartbeat', {}, { ok: false, code: 'INTERNAL' });
      return story;
    },
  ],
  [
    'refused',
    'a handshake refused',
    () => goodStory().at(30_000, { k: 'refused', d: 'bob-1', code: 'UNAUTHENTICATED' }),
  ],
  ['node', 'a node that ended by itself', () => nodeEnds({ code: 1, because: null })],
  ['node', 'a drain that failed', () => nodeEnds({ code: 1, because: 'SIGTERM' })],
  ['node', 'a drain that took too long', () => nodeEnds({ code: 0, because: 'SIGTERM', tookMs: 15_000 })],
  [
    'node',
    'an unhandled rejection',
    () => goodStory().at(30_000, { k: 'node', node: 0, what: 'complaint', line: 'unhandled rejection: Error' }),
  ],
  ['presence', 'somebody connected who is said to be offline', () => askedPresence(settledT + 1, 'offline')],
  ['presence', 'somebody there all the time who is said to be offline', () => askedPresence(quietT - 1_000, 'offline')],
  ['presence', 'presence that stays unknown', () => askedPresence(settledT + 1, 'unknown')],
  ['presence', 'somebody gone who is said to be online', () => askedPresence(settledT + 20_000, 'online', farewell(1))],
  [
    'presence',
    'news that somebody went who was there',
    () => goodStory().at(40_000, { k: 'presence-event', d: 'alice-1', n: 1, user: 'bob', status: 'offline' }),
  ],
  ['presence', 'a departure told twice', () => farewell(2)],
  ['presence', 'a departure told to nobody', () => farewell(0)],
  ['campaign', 'a fault that did not fire', () => without(goodStory(), ({ k }) => k === 'fault-begin')],
  ['campaign', 'a fault that hit nothing', () => change(goodStory(), ({ k }) => k === 'fault-begin', { hit: 0 })],
  ['campaign', 'a fault that failed', () => goodStory().at(6_000, { k: 'fault-failed', i: 0, name: 'f', reason: 'x' })],
  ['campaign', 'no faults at all', () => without(goodStory(), ({ k }) => k.startsWith('fault'))],
  ['campaign', 'too little sent', () => change(goodStory(), ({ k }) => k === 'run', { sendsPerSecond: 10 })],
  ['campaign', 'messages that never got through', () => change(goodStory(), ({ k }) => k === 'quiet', { unsent: 1 })],
  ['campaign', 'a run that did not come to its end', () => without(goodStory(), ({ k }) => k === 'settled')],
];

function nodeEnds(how: object): Story {
  return goodStory().at(30_000, { k: 'node', node: 0, what: 'exit', signal: null, ...how });
}

describe('the checker of chaos runs', () => {
  it('finds nothing in a run in which everything held', () => {
    expect(check(goodStory().entries())).toEqual([]);
    expect(check(deletion().entries())).toEqual([]);
    expect(check(farewell(1).entries())).toEqual([]);
    expect(check(askedPresence(settledT + 20_000, 'offline', farewell(1)).entries())).toEqual([]);
  });

  it.each(planted)('finds what was planted: %s, %s', (kind, _what, plant) => {
    expect(kindsIn(plant())).toContain(kind);
  });

  it('excuses what a fault explains', () => {
    const killed = nodeEnds({ code: null, signal: 'SIGKILL', because: 'SIGKILL' });
    expect(check(killed.entries())).toEqual([]);
    const unavailable = goodStory();
    ask(unavailable, 30_000, 'send-message', { key: 'm9' }, { ok: false, code: 'UNAVAILABLE' });
    expect(check(unavailable.entries())).toEqual([]);
    const cut = goodStory().at(30_000, { k: 'open', d: 'bob-1', n: 2 });
    cut.ask(30_001, { d: 'bob-1', n: 2, event: 'mark-read' }, null);
    expect(check(cut.at(30_100, { k: 'close', d: 'bob-1', n: 2, why: 'transport close' }).entries())).toEqual([]);
    const after = (entry: Entry) => entry.k === 'saw' && entry.d === 'bob-2' && entry.t > 2_500;
    const away = without(goodStory().at(2_500, { k: 'leave', d: 'bob-2' }), after);
    expect(check(away.at(2_500, { k: 'close', d: 'bob-2', n: 1, why: 'io client disconnect' }).entries())).toEqual([]);
  });

  it('takes repeats for what they are', () => {
    expect(check(goodStory().saw(30_000, 'bob-1', 2).entries())).toEqual([]);
    const story = goodStory();
    ask(story, 30_000, 'send-message', { key: 'm3', text: 'm3' }, { id: 'm3', seq: 3, rev: 3, duplicate: true });
    expect(check(story.entries())).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message } from '../../src/common/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { changesOf, ConversationModel } from '../support/conversation-model.js';
import { groupConversation } from '../support/conversations.js';
import { historyOf } from '../support/message-life.js';
import { manually, receiptsHeardBy } from '../support/receipts.js';
import { patient } from '../setup/patience.js';

const emojis = ['👍', '🎉', '❤️'] as const;
/** The owner, an admin, a member, and one who comes and goes. */
const names = ['alice', 'bob', 'carol', 'guest'] as const;
const guestIndex = 3;

type Verb =
  | 'send'
  | 'edit'
  | 'delete'
  | 'hide'
  | 'react'
  | 'unreact'
  | 'read'
  | 'read-ids'
  | 'deliver'
  | 'admit'
  | 'expel'
  | 'leave';

/** One request: who, over which node, on which of the messages there are. */
interface Step {
  actor: number;
  node: number;
  target: number;
  emoji: (typeof emojis)[number];
  verb: Verb;
}

const step: fc.Arbitrary<Step> = fc.record({
  actor: fc.nat(names.length - 1),
  node: fc.nat(1),
  target: fc.nat(30),
  emoji: fc.constantFrom(...emojis),
  verb: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Verb>('send') },
    { weight: 3, arbitrary: fc.constantFrom<Verb>('edit', 'react') },
    { weight: 2, arbitrary: fc.constantFrom<Verb>('delete', 'unreact', 'read', 'read-ids', 'deliver') },
    { weight: 1, arbitrary: fc.constantFrom<Verb>('hide', 'admit', 'admit', 'expel', 'leave') },
  ),
});

/** Rounds of requests; those of a round are under way at the same time. */
const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 8 });

interface Outcome {
  step: Step;
  /** Of the target; undefined where there was none yet. */
  message: Message | undefined;
  /** The acked message, where the verb answers with one. */
  acked?: Message;
  /** The acked cursor, where the verb answers with one. */
  cursor?: number;
  code?: string;
}

/** A conversation under test: those who act, and one who only listens, on both nodes. */
class Play {
  readonly messages: Message[] = [];
  readonly hidden = names.map(() => new Set<string>());
  readonly outcomes: Outcome[] = [];
  /** What the three who stay have said they have read, and that has reached them. */
  readonly cursors = names.map(() => ({ readSeq: 0, deliveredSeq: 0 }));

  constructor(
    readonly cluster: TestCluster,
    readonly conversationId: string,
    readonly users: string[],
    /** By actor and node. */
    readonly clients: TestClient[][],
    /** One per node. */
    readonly observers: TestClient[],
  ) {}

  static async begin(cluster: TestCluster): Promise<Play> {
    const suffix = randomUUID().slice(0, 8);
    const users = names.map((name) => `${name}-${suffix}`);
    const [alice, bob, carol] = users as [string, string, string];
    const observer = `observer-${suffix}`;
    const conversationId = await groupConversation(cluster.url(), alice, [bob, carol, observer]);
    const path = `/v1/conversations/${conversationId}/participants/${bob}`;
    await rest(cluster.url(), alice, 'PATCH', path, { role: 'admin' });
    const both = (user: string) => Promise.all([0, 1].map((node) => cluster.connect(user, node, manually)));
    const clients = await Promise.all(users.map(both));
    const observers = await both(observer);
    for (const client of observers) await client.ask('join-conversation', conversationId);
    return new Play(cluster, conversationId, users, clients, observers);
  }

  get moderators(): string[] {
    return this.users.slice(0, 2);
  }

  async run(round: Step[]): Promise<void> {
    const settled = await Promise.all(round.map((step) => this.attempt(step)));
    this.outcomes.push(...settled);
    for (const { step, acked } of settled) if (step.verb === 'send' && acked) this.messages.push(acked);
  }

  private async attempt(step: Step): Promise<Outcome> {
    const message = this.messages[step.target % Math.max(this.messages.length, 1)];
    const outcome: Outcome = { step, message };
    const needsTarget = ['edit', 'delete', 'hide', 'react', 'unreact', 'read-ids'].includes(step.verb);
    if (!message && needsTarget) return outcome;
    try {
      return { ...outcome, ...(await this.perform(step, message)) };
    } catch (error) {
      return { ...outcome, code: (error as { code?: string }).code ?? String(error) };
    }
  }

  private async perform(step: Step, message?: Message): Promise<Partial<Outcome>> {
    const { actor, node, emoji, verb, target } = step;
    const client = this.clients[actor]![node]!;
    const { conversationId } = this;
    const messageId = message?.id;
    const seq = target % (this.messages.length + 1);
    const ask = async (event: string, payload: object) => ({ acked: (await client.ask(event, payload)).message });
    switch (verb) {
      case 'send':
        return ask('send-message', { conversationId, content: { text: randomUUID() } });
      case 'edit':
        return ask('edit-message', { messageId, content: { text: randomUUID() } });
      case 'delete':
        await client.ask('delete-message', messageId);
        return {};
      case 'hide':
        await client.ask('delete-message', { messageId, scope: 'me' });
        this.hidden[actor]!.add(messageId!);
        return {};
      case 'react':
        return ask('add-reaction', { messageId, emoji });
      case 'unreact':
        return ask('remove-reaction', { messageId, emoji });
      case 'read':
        return this.mark(step, 'mark-read', { seq }, seq);
      case 'read-ids':
        return this.markById(step, [message!, this.messages[0]!]);
      case 'deliver':
        return this.mark(step, 'mark-delivered', { seq }, seq);
      case 'admit':
        return this.membership(step, 'POST', '', { userIds: [this.users[guestIndex]] });
      case 'expel':
        return this.membership(step, 'DELETE', `/${this.users[guestIndex]}`);
      case 'leave':
        return this.membership({ ...step, actor: guestIndex }, 'DELETE', `/${this.users[guestIndex]}`);
    }
  }

  /** @returns the acked cursor, which covers what was marked */
  private async mark({ actor, node }: Step, event: string, place: object, marked: number) {
    const { conversationId } = this;
    const answer = await this.clients[actor]![node]!.ask(event, { conversationId, ...place });
    const cursor = (answer.readSeq ?? answer.deliveredSeq) as number;
    expect(cursor).toBeGreaterThanOrEqual(marked);
    const said = this.cursors[actor]!;
    if (event === 'mark-read') said.readSeq = Math.max(said.readSeq, marked);
    said.deliveredSeq = Math.max(said.deliveredSeq, marked);
    return { cursor };
  }

  private markById(step: Step, messages: Message[]) {
    const highest = Math.max(...messages.map(({ seq }) => seq));
    return this.mark(step, 'mark-read', { messageIds: messages.map(({ id }) => id) }, highest);
  }

  private async membership({ actor, node }: Step, method: string, path: string, body?: object) {
    const route = `/v1/conversations/${this.conversationId}/participants${path}`;
    const answer = await rest(this.cluster.url(node), this.users[actor]!, method, route, body);
    if (answer.status >= 300) throw Object.assign(new Error(route), { code: answer.body.code as string });
    return {};
  }

  /** The conversation as a user sees it; null: not at all. */
  async viewOf(userId: string, node: number): Promise<Conversation | null> {
    const answer = await rest(this.cluster.url(node), userId, 'GET', `/v1/conversations/${this.conversationId}`);
    return answer.status === 200 ? (answer.body as Conversation) : null;
  }
}

/**
 * Compares answers, sockets, nodes and counters with what a model makes of the changes that were
 * told.
 */
async function check(play: Play): Promise<void> {
  const { cluster, conversationId, users, observers } = play;
  const final = (await play.viewOf(observers[0]!.userId, 0))!;
  const models = await Promise.all(observers.map((observer) => modelOf(play, observer, final.lastRev)));
  const [model] = models as [ConversationModel];
  const history = await historyOf(cluster, observers[0]!.userId, conversationId);
  for (const { messages } of models) expect(messages).toEqual(history);
  expect([...play.messages].sort((a, b) => a.seq - b.seq).map(({ id }) => id)).toEqual(history.map(({ id }) => id));
  for (const outcome of play.outcomes) checkAnswer(play, model, outcome);
  checkCauses(play, model);
  for (const [i, userId] of users.entries()) if (i !== guestIndex) await checkView(play, i, userId, history);
  await checkGuest(play, history);
  await checkReceipts(play);
}

/** What an observer was told, every rev once and in order. */
async function modelOf(play: Play, observer: TestClient, lastRev: number): Promise<ConversationModel> {
  const { conversationId } = play;
  await expect.poll(() => changesOf(observer.heard, conversationId).length, { timeout: patient(10_000) }).toBe(lastRev);
  const model = new ConversationModel(play.moderators);
  for (const change of changesOf(observer.heard, conversationId)) model.apply(change);
  return model;
}

/** An acked message is as the model has it at that rev; a refusal has a reason in the model. */
function checkAnswer(play: Play, model: ConversationModel, outcome: Outcome): void {
  const { step, message, acked, code } = outcome;
  if (acked) expect(acked).toEqual(model.states[acked.rev - 1]);
  if (acked && (step.verb === 'react' || step.verb === 'unreact') && acked.deletedAt === null) {
    const userIds = acked.reactions[step.emoji]?.userIds ?? [];
    expect(userIds.includes(play.users[step.actor]!)).toBe(step.verb === 'react');
  }
  if (!message && code === undefined) return;
  const end = message && model.messages[message.seq - 1];
  if (step.verb === 'delete' && code === undefined) expect(end!.deletedAt).not.toBeNull();
  if (code !== undefined) expect(reasonsFor(play, step, end), step.verb).toContain(code);
}

/** The codes a verb may be refused with, as everything stands at the end. */
function reasonsFor(play: Play, { actor, verb }: Step, target: Message | undefined): string[] {
  const isOwn = target?.senderId === play.users[actor];
  const isGone = target?.deletedAt != null;
  const named = verb === 'read-ids' ? [target, play.messages[0]] : [target];
  const mayMissIt = actor === guestIndex || named.some((message) => message && play.hidden[actor]!.has(message.id));
  const isMember = actor > 1;
  const reasons: [code: string, applies: boolean][] = [
    ['NOT_FOUND', mayMissIt || verb === 'expel' || verb === 'leave'],
    ['WINDOW_EXPIRED', verb === 'edit' && isOwn && isGone],
    ['FORBIDDEN', verb === 'edit' && !isOwn],
    ['FORBIDDEN', verb === 'delete' && !isOwn && isMember],
    ['FORBIDDEN', isMember && (verb === 'admit' || verb === 'expel')],
    ['CONFLICT', verb === 'react' && isGone],
  ];
  return reasons.filter(([, applies]) => applies).map(([code]) => code);
}

/** Everything that was told was done by somebody, and told once. */
function checkCauses({ outcomes, users }: Play, { changes, states }: ConversationModel): void {
  const done = outcomes.filter(({ message, acked, code }) => code === undefined && (message ?? acked));
  const by = (...verbs: Verb[]) => done.filter(({ step }) => verbs.includes(step.verb));
  const told = (event: string) => changes.filter((change) => change.event === event);
  expect(told('new-message')).toHaveLength(by('send').length);
  expect(told('message-edited').map(({ payload }) => payload.rev)).toEqual(
    by('edit')
      .map(({ acked }) => acked!.rev)
      .sort((a, b) => a - b),
  );
  for (const { payload } of told('message-deleted')) {
    const isCause = ({ step, message }: Outcome) =>
      message!.id === payload.messageId && users[step.actor] === payload.deletedBy;
    expect(by('delete').some(isCause)).toBe(true);
  }
  for (const { payload } of told('reaction-changed')) {
    const isCause = ({ step, acked }: Outcome) =>
      acked!.rev === payload.rev && users[step.actor] === payload.userId && step.emoji === payload.emoji;
    expect(by(payload.added ? 'react' : 'unreact').some(isCause)).toBe(true);
    expect(states[payload.rev - 1]!.id).toBe(payload.messageId);
  }
}

async function checkView(play: Play, actor: number, userId: string, history: Message[]): Promise<void> {
  const visible = history.filter(({ id }) => !play.hidden[actor]!.has(id));
  for (const node of [0, 1]) {
    expect(await historyOf(play.cluster, userId, play.conversationId, node)).toEqual(visible);
    const view = (await play.viewOf(userId, node))!;
    const own = view.participants.find((participant) => participant.userId === userId)!;
    if (actor !== guestIndex) expect(own).toMatchObject(play.cursors[actor]!);
    expect(view.unreadCount).toBe(unreadAmong(visible, userId, own.readSeq));
    expect(view.lastMessage).toEqual(visible.at(-1) ?? null);
  }
}

function unreadAmong(visible: Message[], userId: string, readSeq: number): number {
  const isUnread = ({ seq, senderId, deletedAt }: Message) =>
    seq > readSeq && senderId !== userId && deletedAt === null;
  return visible.filter(isUnread).length;
}

/** Who came late sees the end of the history; who has gone sees nothing. */
async function checkGuest(play: Play, history: Message[]): Promise<void> {
  const guest = play.users[guestIndex]!;
  const path = `/v1/conversations/${play.conversationId}/messages?limit=200`;
  const answer = await rest(play.cluster.url(1), guest, 'GET', path);
  if (answer.status === 404) return expect(await play.viewOf(guest, 0)).toBeNull();
  const firstSeq = (answer.body.items as Message[])[0]?.seq ?? Infinity;
  return checkView(
    play,
    guestIndex,
    guest,
    history.filter(({ seq }) => seq >= firstSeq),
  );
}

/** The observer hears cursors grow, up to where they are. */
async function checkReceipts({ observers, users, cursors }: Play): Promise<void> {
  for (const observer of observers) {
    for (const [i, userId] of users.entries()) {
      if (i === guestIndex) continue;
      const heard = (event: string) =>
        (receiptsHeardBy(observer) as [string, string, number][])
          .filter(([name, who]) => name === event && who === userId)
          .map(([, , seq]) => seq);
      await expect.poll(() => heard('messages-read').at(-1) ?? 0).toBe(cursors[i]!.readSeq);
      await expect.poll(() => heard('message-delivered').at(-1) ?? 0).toBe(cursors[i]!.deliveredSeq);
      for (const event of ['messages-read', 'message-delivered']) {
        expect(heard(event)).toEqual([...new Set(heard(event))].sort((a, b) => a - b));
      }
    }
  }
}

describe('the life of messages', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2 });
  });

  afterAll(() => cluster?.stop());

  it('is one story, whoever does what at the same time on whatever node', async () => {
    const runs = Number(process.env['PROPERTY_RUNS'] ?? 15);
    await fc.assert(
      fc.asyncProperty(rounds, async (plan) => {
        const play = await Play.begin(cluster);
        try {
          for (const round of plan) await play.run(round);
          await check(play);
        } finally {
          for (const client of [...play.clients.flat(), ...play.observers]) client.close();
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });
});

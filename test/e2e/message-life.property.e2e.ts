import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message } from '../../src/common/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { historyOf } from '../support/message-life.js';

const emojis = ['👍', '🎉', '❤️'] as const;
const names = ['alice', 'bob', 'carol'] as const;

/** One request: who, over which node, on which of the messages there are. */
interface Step {
  actor: number;
  node: number;
  target: number;
  emoji: (typeof emojis)[number];
  verb: 'send' | 'edit' | 'delete' | 'hide' | 'react' | 'unreact' | 'read' | 'admit' | 'expel';
}

const step: fc.Arbitrary<Step> = fc.record({
  actor: fc.nat(names.length - 1),
  node: fc.nat(1),
  target: fc.nat(30),
  emoji: fc.constantFrom(...emojis),
  verb: fc.oneof(
    { weight: 4, arbitrary: fc.constant('send' as const) },
    { weight: 3, arbitrary: fc.constantFrom('edit' as const, 'react' as const) },
    { weight: 2, arbitrary: fc.constantFrom('delete' as const, 'unreact' as const) },
    { weight: 1, arbitrary: fc.constantFrom('hide' as const, 'read' as const, 'admit' as const, 'expel' as const) },
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
  code?: string;
}

/** What the contract lets a verb answer in a conversation where deletions, edits and departures race. */
const allowedCodes: Record<Step['verb'], (outcome: Outcome, isOwn: boolean, isOwner: boolean) => string[]> = {
  send: () => [],
  edit: (_, isOwn) => (isOwn ? ['WINDOW_EXPIRED', 'NOT_FOUND'] : ['FORBIDDEN', 'NOT_FOUND']),
  delete: (_, isOwn, isOwner) => (isOwn || isOwner ? ['NOT_FOUND'] : ['FORBIDDEN', 'NOT_FOUND']),
  hide: () => [],
  react: () => ['CONFLICT', 'NOT_FOUND'],
  unreact: () => ['NOT_FOUND'],
  read: () => [],
  admit: () => [],
  expel: () => ['NOT_FOUND'],
};

/** A conversation under test: three who act, one who only listens, and one who comes and goes. */
class Play {
  readonly messages: Message[] = [];
  readonly hidden = new Map<string, Set<string>>(names.map((name) => [name, new Set()]));
  readonly outcomes: Outcome[] = [];

  constructor(
    readonly cluster: TestCluster,
    readonly conversationId: string,
    readonly users: string[],
    readonly guest: string,
    /** By actor and node. */
    readonly clients: TestClient[][],
    /** One per node. */
    readonly observers: TestClient[],
  ) {}

  static async begin(cluster: TestCluster): Promise<Play> {
    const suffix = randomUUID().slice(0, 8);
    const users = names.map((name) => `${name}-${suffix}`);
    const observer = `observer-${suffix}`;
    const conversationId = await groupConversation(cluster.url(), users[0]!, [...users.slice(1), observer]);
    const both = (user: string) => Promise.all([0, 1].map((node) => cluster.connect(user, node)));
    const clients = await Promise.all(users.map(both));
    return new Play(cluster, conversationId, users, `guest-${suffix}`, clients, await both(observer));
  }

  async run(round: Step[]): Promise<void> {
    const settled = await Promise.all(round.map((step) => this.attempt(step)));
    this.outcomes.push(...settled);
    for (const { step, acked } of settled) if (step.verb === 'send') this.messages.push(acked!);
  }

  private async attempt(step: Step): Promise<Outcome> {
    const message = this.messages[step.target % Math.max(this.messages.length, 1)];
    const outcome: Outcome = { step, message };
    if (!message && !['send', 'read', 'admit', 'expel'].includes(step.verb)) return outcome;
    try {
      const acked = await this.perform(step, message);
      return acked ? { ...outcome, acked } : outcome;
    } catch (error) {
      return { ...outcome, code: (error as { code?: string }).code ?? String(error) };
    }
  }

  private async perform({ actor, node, emoji, verb }: Step, message?: Message): Promise<Message | undefined> {
    const client = this.clients[actor]![node]!;
    const { conversationId } = this;
    const ask = async (event: string, payload: object) => (await client.ask(event, payload)).message as Message;
    switch (verb) {
      case 'send':
        return ask('send-message', { conversationId, content: { text: randomUUID() } });
      case 'edit':
        return ask('edit-message', { messageId: message!.id, content: { text: randomUUID() } });
      case 'delete':
        return void (await client.ask('delete-message', message!.id));
      case 'hide':
        await client.ask('delete-message', { messageId: message!.id, scope: 'me' });
        return void this.hidden.get(names[actor]!)!.add(message!.id);
      case 'react':
        return ask('add-reaction', { messageId: message!.id, emoji });
      case 'unreact':
        return ask('remove-reaction', { messageId: message!.id, emoji });
      case 'read':
        return void (await client.ask('mark-read', { conversationId, seq: this.messages.length }));
      case 'admit':
        return void (await this.membership('POST', '', { userIds: [this.guest] }));
      case 'expel':
        return void (await this.membership('DELETE', `/${this.guest}`));
    }
  }

  private async membership(method: string, path: string, body?: object): Promise<void> {
    const route = `/v1/conversations/${this.conversationId}/participants${path}`;
    const { status, body: answer } = await rest(this.cluster.url(), this.users[0]!, method, route, body);
    if (status >= 300) throw Object.assign(new Error(route), { code: answer.code as string });
  }

  /** The conversation as a user sees it; null: not at all. */
  async viewOf(userId: string, node: number): Promise<Conversation | null> {
    const answer = await rest(this.cluster.url(node), userId, 'GET', `/v1/conversations/${this.conversationId}`);
    return answer.status === 200 ? (answer.body as Conversation) : null;
  }
}

const revOf = ({ payload }: { payload: { rev: number } }) => payload.rev;

/** The changes of this conversation a client heard. */
function changesHeard(client: TestClient, conversationId: string) {
  const events = ['new-message', 'message-edited', 'message-deleted', 'reaction-changed'];
  return client.heard.filter(
    ({ event, payload }) => events.includes(event) && payload.conversationId === conversationId,
  );
}

/** The state that follows from the changes, in order. */
function fold(changes: ReturnType<typeof changesHeard>): Message[] {
  const messages = new Map<string, Message>();
  for (const { event, payload } of changes) {
    if (event === 'new-message' || event === 'message-edited') messages.set(payload.id, structuredClone(payload));
    else if (event === 'message-deleted') bury(messages.get(payload.messageId)!, payload);
    else react(messages.get(payload.messageId)!, payload);
  }
  return [...messages.values()].sort((a, b) => a.seq - b.seq);
}

function bury(message: Message, { rev, deletedAt }: { rev: number; deletedAt: string }): void {
  Object.assign(message, { rev, deletedAt, content: null, mentions: [], reactions: {} });
}

function react(message: Message, change: { rev: number; emoji: string; userId: string; added: boolean }): void {
  const before = message.reactions[change.emoji]?.userIds ?? [];
  const userIds = change.added ? [...before, change.userId] : before.filter((userId) => userId !== change.userId);
  message.rev = change.rev;
  message.reactions[change.emoji] = { count: userIds.length, userIds };
  if (userIds.length === 0) delete message.reactions[change.emoji];
}

/** What is right whatever the order: compares doors, nodes, sockets and counters with each other and with the answers. */
async function check(play: Play): Promise<void> {
  const { cluster, conversationId, users, observers } = play;
  const final = (await play.viewOf(observers[0]!.userId, 0))!;
  const revs = Array.from({ length: final.lastRev }, (_, i) => i + 1);
  const history = await historyOf(cluster, observers[0]!.userId, conversationId);
  for (const observer of observers) {
    if (final.lastRev > 0) await waitForRev(observer, conversationId, final.lastRev);
    const changes = changesHeard(observer, conversationId);
    expect(changes.map(revOf)).toEqual(revs);
    expect(fold(changes)).toEqual(history);
  }
  expect(history.map(({ seq }) => seq)).toEqual(play.messages.map((_, i) => i + 1));
  checkAnswers(play, history);
  for (const [i, userId] of users.entries()) await checkView(play, userId, history, play.hidden.get(names[i]!)!);
  await checkGuest(play, history);
}

async function waitForRev(client: TestClient, conversationId: string, rev: number): Promise<void> {
  await expect.poll(() => changesHeard(client, conversationId).map(revOf).at(-1), { timeout: 10_000 }).toBe(rev);
}

/** Every answer was allowed, and every acked change is one the observer heard of. */
function checkAnswers({ outcomes, users, observers, conversationId }: Play, history: Message[]): void {
  const told = new Map(changesHeard(observers[0]!, conversationId).map((change) => [revOf(change), change]));
  const byId = new Map(history.map((message) => [message.id, message]));
  for (const outcome of outcomes) {
    const { step, message, acked, code } = outcome;
    const isOwn = message?.senderId === users[step.actor];
    if (code !== undefined) expect(allowedCodes[step.verb](outcome, isOwn, step.actor === 0)).toContain(code);
    if (step.verb === 'edit' && acked) expect([isOwn, told.get(acked.rev)?.payload]).toEqual([true, acked]);
    if (step.verb === 'delete' && message && code === undefined) {
      expect(isOwn || step.actor === 0).toBe(true);
      expect(byId.get(message.id)!.deletedAt).not.toBeNull();
    }
  }
}

async function checkView(play: Play, userId: string, history: Message[], hidden: Set<string>): Promise<void> {
  const visible = history.filter(({ id }) => !hidden.has(id));
  for (const node of [0, 1]) {
    expect(await historyOf(play.cluster, userId, play.conversationId, node)).toEqual(visible);
    const view = (await play.viewOf(userId, node))!;
    const { readSeq } = view.participants.find((participant) => participant.userId === userId)!;
    const unread = visible.filter(
      ({ seq, senderId, deletedAt }) => seq > readSeq && senderId !== userId && deletedAt === null,
    );
    expect(view.unreadCount).toBe(unread.length);
    expect(view.lastMessage).toEqual(visible.at(-1) ?? null);
  }
}

/** Who came late sees the end of the history; who has gone sees nothing. */
async function checkGuest({ cluster, guest, conversationId }: Play, history: Message[]): Promise<void> {
  const answer = await rest(cluster.url(1), guest, 'GET', `/v1/conversations/${conversationId}/messages?limit=200`);
  if (answer.status === 404) return;
  const items = answer.body.items as Message[];
  expect(items).toEqual(history.slice(history.length - items.length));
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
  }, 120_000);
});

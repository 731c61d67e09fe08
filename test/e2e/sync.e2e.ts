import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { unmarked, wearMarks } from '../support/activity-marks.js';
import type { TestClient } from '../support/client.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { expireNow } from '../support/expire-now.js';

let cluster: TestCluster;
let database: pg.Client;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2, ownPostgres: true });
  database = new pg.Client({ connectionString: cluster.database.url });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await cluster.stop();
});

let users = 0;

async function scene() {
  users += 1;
  const [alice, bob] = [`alice-${users}`, `bob-${users}`];
  const sender = await cluster.connect(alice, 0);
  const conversationId = await directConversation(cluster.url(), alice, bob);
  const reader = await cluster.connect(bob, 1, { deviceId: 'phone', ackMode: 'manual' });
  const token = async () => (await reader.ask('heartbeat')).syncToken as string;
  return { alice, bob, sender, reader, conversationId, token };
}

async function send(client: TestClient, conversationId: string, text: string, more = {}): Promise<Message> {
  const { message } = await client.ask('send-message', { conversationId, content: { text }, ...more });
  return message;
}

/** Every page of one pass. */
async function syncAll(client: TestClient, since: string | null, limit = 200) {
  const all = { conversations: [], messages: [], receipts: [], hidden: [], removed: [] } as Record<string, any[]>;
  let next = since;
  let pages = 0;
  for (let hasMore = true; hasMore; pages++) {
    const page = await client.ask('sync', { since: next, limit });
    for (const kind of Object.keys(all)) all[kind]!.push(...page[kind]);
    next = page.next as string;
    hasMore = page.hasMore as boolean;
  }
  return { ...all, next: next!, pages } as unknown as Record<string, any[]> & { next: string; pages: number };
}

describe('sync', () => {
  it('tells everything for null, and then only what changed', async () => {
    const { sender, reader, conversationId } = await scene();
    await send(sender, conversationId, 'a');
    const first = await syncAll(reader, null);
    expect(first.conversations!.map(({ id }) => id)).toEqual([conversationId]);
    expect(first.messages!.map(({ seq }) => seq)).toEqual([1]);
    const nothing = await syncAll(reader, first.next);
    expect(nothing).toMatchObject({ conversations: [], messages: [], receipts: [], hidden: [], removed: [] });
    const message = await send(sender, conversationId, 'b');
    await sender.ask('edit-message', { messageId: message.id, content: { text: 'c' } });
    const later = await syncAll(reader, nothing.next);
    expect(later.messages!.map(({ seq, content }) => [seq, content.text])).toEqual([[2, 'c']]);
    expect(later.conversations).toHaveLength(1);
  });

  it('does not skip a transaction that was open when the token was given', async () => {
    const { sender, reader, conversationId, token } = await scene();
    await send(sender, conversationId, 'a');
    // A slow transaction changes the first message, as a change under load would.
    await database.query('BEGIN');
    await database.query(
      `UPDATE messages SET content = '{"text":"slow"}', rev = 2, sent_rev = 1, edited_rev = 2, edited_at = now(),
              changed_xid = current_xid() WHERE conversation_id = $1`,
      [conversationId],
    );
    await database.query('UPDATE conversations SET last_rev = 2, changed_xid = current_xid() WHERE id = $1', [
      conversationId,
    ]);
    const other = await scene();
    await send(other.sender, other.conversationId, 'overtakes');
    const since = await token();
    const before = await syncAll(reader, since);
    expect(before.messages!.filter(({ content }) => content.text === 'slow')).toEqual([]);
    await database.query('COMMIT');
    for (const from of [since, before.next]) {
      const after = await syncAll(reader, from);
      expect(after.messages!.map(({ content }) => content.text)).toEqual(['slow']);
    }
  });

  it('tells each thing once over many pages, while things change', async () => {
    const { sender, reader, conversationId } = await scene();
    const sent = await Promise.all(Array.from({ length: 60 }, (_, i) => send(sender, conversationId, `${i}`)));
    const seen: string[] = [];
    let since: string | null = null;
    let passes = 0;
    for (let hasMore = true; hasMore; passes++) {
      const page: any = await reader.ask('sync', { since, limit: 7 });
      seen.push(...page.messages.map(({ id }: Message) => id));
      since = page.next;
      hasMore = page.hasMore;
      if (passes === 2) await sender.ask('edit-message', { messageId: sent[0]!.id, content: { text: 'seen' } });
      if (passes === 3)
        await sender.ask('edit-message', { messageId: sent[59]!.id, content: { text: 'not seen yet' } });
    }
    expect(new Set(seen).size).toBe(seen.length);
    const rest = await syncAll(reader, since);
    const texts = rest.messages!.map(({ content }) => content.text);
    expect(texts).toEqual(['seen', 'not seen yet']);
    expect(new Set([...seen, ...rest.messages!.map(({ id }) => id)]).size).toBe(60);
  });

  it('tells of receipts, of what the user hid, what expired, and of conversations left', async () => {
    const { alice, bob, sender, reader, conversationId, token } = await scene();
    const group = await groupConversation(cluster.url(), alice, [bob]);
    const message = await send(sender, conversationId, 'a');
    const since = await token();
    await reader.ask('delete-message', { messageId: message.id, scope: 'me' });
    await reader.ask('mark-read', { conversationId, seq: 1 });
    expect((await rest(cluster.url(), alice, 'DELETE', `/v1/conversations/${group}/participants/${bob}`)).status).toBe(
      204,
    );
    const page = await syncAll(reader, since);
    expect(page.hidden).toEqual([{ conversationId, messageId: message.id }]);
    expect(page.removed).toEqual([group]);
    expect(page.messages).toEqual([]);
    expect(page.receipts).toEqual([
      expect.objectContaining({ conversationId, userId: bob, deliveredSeq: 1, readSeq: 1 }),
    ]);
    const others = await syncAll(sender, null);
    expect(others.receipts).toEqual([expect.objectContaining({ userId: bob, readSeq: 1 })]);

    const afterwards = await token();
    const expiring = await send(sender, conversationId, 'short', { expiresInSeconds: 3_600 });
    await expireNow(database, [expiring.id]);
    await reader.waitFor('message-deleted', ({ messageId }: { messageId: string }) => messageId === expiring.id, 8_000);
    const gone = await syncAll(reader, afterwards);
    expect(gone.messages).toEqual([]);
    expect(gone.hidden).toEqual([{ conversationId, messageId: expiring.id }]);
  });

  it('tells every participant of every kind of change, also where the marks it looks by have worn out', async () => {
    const { alice, bob, sender, reader } = await scene();
    const [carol, dave] = [`carol-${users}`, `dave-${users}`];
    const group = await groupConversation(cluster.url(), alice, [bob, carol]);
    const clients = {
      alice: sender,
      bob: reader,
      carol: await cluster.connect(carol),
      dave: await cluster.connect(dave),
    };
    const members = ['alice', 'bob', 'carol'] as const;
    const first = await send(sender, group, 'first');
    let expiring!: Message;
    const path = `/v1/conversations/${group}`;
    const patch = async (method: string, to: string, body?: object) => {
      expect((await rest(cluster.url(1), alice, method, `${path}${to}`, body)).status).toBeLessThan(300);
    };
    const changes: [string, readonly (keyof typeof clients)[], string, () => Promise<unknown>][] = [
      ['send', members, 'messages', () => send(sender, group, 'second')],
      [
        'edit',
        members,
        'messages',
        () => sender.ask('edit-message', { messageId: first.id, content: { text: 'edited' } }),
      ],
      ['react', members, 'messages', () => reader.ask('add-reaction', { messageId: first.id, emoji: '👍' })],
      ['take back', members, 'messages', () => reader.ask('remove-reaction', { messageId: first.id, emoji: '👍' })],
      ['deliver', members, 'receipts', () => reader.ask('mark-delivered', { conversationId: group, seq: 2 })],
      ['read', members, 'receipts', () => reader.ask('mark-read', { conversationId: group, seq: 2 })],
      ['delete', members, 'messages', () => sender.ask('delete-message', { messageId: first.id })],
      ['rename', members, 'conversations', () => patch('PATCH', '', { title: 'Another' })],
      ['promote', members, 'conversations', () => patch('PATCH', `/participants/${bob}`, { role: 'admin' })],
      ['add', [...members, 'dave'], 'conversations', () => patch('POST', '/participants', { userIds: [dave] })],
      [
        'expire',
        members,
        'hidden',
        async () => {
          await expireNow(database, [expiring.id]);
          await sender.waitFor('message-deleted', ({ messageId }: any) => messageId === expiring.id, 8_000);
        },
      ],
      ['remove: told', ['dave'], 'removed', () => patch('DELETE', `/participants/${dave}`)],
      ['add again', [...members, 'dave'], 'conversations', () => patch('POST', '/participants', { userIds: [dave] })],
      ['remove: others', members, 'conversations', () => patch('DELETE', `/participants/${dave}`)],
    ];
    const positionOf = async (client: TestClient) => (await client.ask('heartbeat')).syncToken as string;
    for (const [kind, who, part, change] of changes) {
      if (kind === 'expire') expiring = await send(sender, group, 'short', { expiresInSeconds: 3_600 });
      const since = new Map<string, string>();
      for (const name of who) since.set(name, await positionOf(clients[name]));
      await wearMarks(database, group);
      await change();
      for (const name of who) {
        const page = await syncAll(clients[name], since.get(name)!);
        const found = page[part]!.map((one) => one.conversationId ?? one.id ?? one);
        expect([kind, name, found.includes(group)]).toEqual([kind, name, true]);
      }
    }
    // Nothing has to be marked here, but for the newcomer.
    const erin = await cluster.connect(`erin-${users}`);
    const atFirst = await positionOf(erin);
    await patch('POST', '/participants', { userIds: [erin.userId] });
    expect((await syncAll(erin, atFirst)).conversations!.map(({ id }) => id)).toEqual([group]);

    const since = await positionOf(clients.dave);
    const founded = await groupConversation(cluster.url(1), alice, [dave]);
    expect((await syncAll(clients.dave, since)).conversations!.map(({ id }) => id)).toEqual([founded]);
    expect(await unmarked(database)).toEqual([]);
  });

  it('tells the last of a group, who leaves it, that it is his no longer', async () => {
    const { alice, sender } = await scene();
    const group = await groupConversation(cluster.url(), alice, []);
    const since = (await sender.ask('heartbeat')).syncToken as string;
    await wearMarks(database, group);
    expect(
      (await rest(cluster.url(), alice, 'DELETE', `/v1/conversations/${group}/participants/${alice}`)).status,
    ).toBe(204);
    expect((await syncAll(sender, since)).removed).toEqual([group]);
  });

  it('shows a conversation anew whose unread count or last message changed because the user hid a message', async () => {
    const { sender, reader, conversationId, token } = await scene();
    const first = await send(sender, conversationId, 'a');
    const second = await send(sender, conversationId, 'b');
    const since = await token();
    await reader.ask('delete-message', { messageId: second.id, scope: 'me' });
    const [shown] = (await syncAll(reader, since)).conversations!;
    expect(shown).toMatchObject({ id: conversationId, unreadCount: 1, lastMessage: { id: first.id } });
    expect((await syncAll(sender, since)).conversations).toEqual([]);
  });

  it('has pages of MAX_PAGE_SIZE at most, also when the client does not say how long', async () => {
    const { bob, sender, conversationId } = await scene();
    await Promise.all(Array.from({ length: 4 }, (_, i) => send(sender, conversationId, `${i}`)));
    const strict = await cluster.addNode({ maxPageSize: 3 });
    const reader = await cluster.connect(bob, cluster.nodes.length - 1, { ackMode: 'manual' });
    for (const limit of [undefined, null, 3]) {
      const page = await reader.ask('sync', { since: null, limit });
      expect([limit, page.conversations.length + page.messages.length, page.hasMore]).toEqual([limit, 3, true]);
      expect((await reader.ask('get-messages', { conversationId, limit })).messages).toHaveLength(3);
    }
    expect((await reader.refused('sync', { since: null, limit: 4 })).code).toBe('VALIDATION_FAILED');
    await strict.stop();
    cluster.nodes.pop();
  });

  it('answers a token of another epoch, or from beyond the present, with everything; garbage is refused', async () => {
    const { sender, reader, conversationId, token } = await scene();
    await send(sender, conversationId, 'a');
    const [version, epoch, xmin] = Buffer.from(await token(), 'base64url')
      .toString()
      .split('.');
    const forge = (...parts: unknown[]) => Buffer.from(parts.join('.')).toString('base64url');
    for (const since of [forge(version, '0123456789abcdef', xmin), forge(version, epoch, Number(xmin) + 1_000_000)]) {
      expect((await syncAll(reader, since)).messages).toHaveLength(1);
    }
    for (const since of [
      'garbage',
      '',
      forge('9', epoch, xmin),
      Buffer.from('[2,"x",1,"1:0:",0]').toString('base64url'),
    ]) {
      expect((await reader.refused('sync', { since })).code).toBe('VALIDATION_FAILED');
    }
    expect((await reader.refused('sync', {})).code).toBe('VALIDATION_FAILED');
    expect((await reader.refused('sync', { since: null, limit: 201 })).code).toBe('VALIDATION_FAILED');
  });

  it('closes the gap between sync and live with the token of session-ready', async () => {
    const { bob, sender, conversationId } = await scene();
    await send(sender, conversationId, 'before');
    const fresh = await cluster.connect(bob, 0, { deviceId: 'fresh', ackMode: 'manual' });
    const { syncToken } = await fresh.waitFor<{ syncToken: string }>('session-ready');
    await send(sender, conversationId, 'after');
    await fresh.waitFor<Message>('new-message', ({ seq }) => seq === 2);
    const since = await syncAll(fresh, syncToken);
    expect(since.messages!.map(({ seq }) => seq)).toContain(2);
  });
});

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message, Participant } from '../../src/common/index.js';
import { rest, type RestAnswer } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let sql: pg.Pool;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { maxGroupSize: 6 } });
  sql = new pg.Pool({ connectionString: cluster.database.url, max: 2 });
});
afterAll(async () => {
  await sql?.end();
  await cluster?.stop();
});

/** User ids nobody else has. */
function someUsers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
}

/** Calls REST as a user, of node 0 or 1. */
const call = <T>(userId: string, method: string, path: string, body?: unknown, node = 0): Promise<RestAnswer<T>> =>
  rest<T>(cluster.url(node), userId, method, path, body);

type Change = { conversationId: string; userId: string; role?: string; by: string };

async function group(owner: string, ...participantIds: string[]): Promise<string> {
  return (await call<Conversation>(owner, 'POST', '/v1/conversations', { kind: 'group', participantIds })).body.id;
}
const add = (actor: string, id: string, userIds: string[], node = 0): Promise<RestAnswer<Conversation>> =>
  call(actor, 'POST', `/v1/conversations/${id}/participants`, { userIds }, node);
const remove = (actor: string, id: string, userId: string, node = 0): Promise<RestAnswer<{ code: string }>> =>
  call(actor, 'DELETE', `/v1/conversations/${id}/participants/${encodeURIComponent(userId)}`, undefined, node);
const setRole = (actor: string, id: string, userId: string, role: string): Promise<RestAnswer<Participant>> =>
  call(actor, 'PATCH', `/v1/conversations/${id}/participants/${userId}`, { role });
const rolesOf = async (userId: string, id: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await call<Conversation>(userId, 'GET', `/v1/conversations/${id}`)).body.participants.map((participant) => [
      participant.userId,
      participant.role,
    ]),
  );

describe('adding participants', () => {
  it('welcomes the newcomer on every node and tells the others', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    const id = await group(alice, bob);
    const [atBob, atCarol] = await Promise.all([cluster.connect(bob, 0), cluster.connect(carol, 1)]);
    const { status, body } = await add(alice, id, [carol, carol, bob]);
    expect([status, body.participantCount]).toEqual([201, 3]);
    const change: Change = { conversationId: id, userId: carol, role: 'member', by: alice };
    expect((await atCarol.waitFor<Conversation>('conversation-created')).id).toBe(id);
    expect(await atCarol.waitFor('participant-added')).toEqual(change);
    expect(await atBob.waitFor('participant-added')).toEqual(change);
    expect(atBob.of('conversation-created')).toEqual([]);
    expect(await atCarol.ask('join-conversation', id)).toMatchObject({ conversation: { id } });
  });

  it('is no error for those who are there, and silent', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await group(alice, bob);
    const { status, body } = await add(alice, id, [bob, alice]);
    expect([status, body.participantCount]).toEqual([201, 2]);
  });

  it('is for owner and admin, and not beyond the limit', async () => {
    const [alice, bob, ...others] = someUsers(7) as [string, string, ...string[]];
    const id = await group(alice, bob);
    expect((await add(bob, id, [others[0]!])).status).toBe(403);
    expect((await add(others[0]!, id, [others[0]!])).status).toBe(404);
    expect((await add(alice, id, others)).status).toBe(409);
    await setRole(alice, id, bob, 'admin');
    expect((await add(bob, id, others.slice(0, 4))).status).toBe(201);
    expect((await add(alice, id, others.slice(0, 4))).status).toBe(201);
    expect((await add(alice, id, [])).status).toBe(400);
  });

  it('keeps to the limit when two nodes add at once', async () => {
    const [alice, ...others] = someUsers(9) as [string, ...string[]];
    const id = await group(alice);
    const answers = await Promise.all(others.map((userId, i) => add(alice, id, [userId], i % 2)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 201, 409, 409, 409]);
  });

  it('lets a newcomer, also one who comes back, read from then on only', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await group(alice, bob);
    const send = (text: string) =>
      call<Message>(alice, 'POST', `/v1/conversations/${id}/messages`, { content: { text } });
    await send('before');
    expect((await remove(bob, id, bob)).status).toBe(204);
    await send('meanwhile');
    await add(alice, id, [bob]);
    const fresh = (await call<Conversation>(bob, 'GET', `/v1/conversations/${id}`, undefined, 1)).body;
    expect([fresh.unreadCount, fresh.lastMessage, fresh.lastSeq]).toEqual([0, null, 2]);
    await send('after');
    const seen = (await call<Conversation>(bob, 'GET', `/v1/conversations/${id}`, undefined, 1)).body;
    expect([seen.unreadCount, seen.lastMessage?.seq]).toEqual([1, 3]);
  });
});

describe('removing participants', () => {
  it('tells everybody, the removed one too, who then knows nothing more', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    const id = await group(alice, bob, carol);
    const [atBob, atCarol] = await Promise.all([cluster.connect(bob, 1), cluster.connect(carol, 0)]);
    await atBob.ask('join-conversation', id);
    expect((await remove(alice, id, bob)).status).toBe(204);
    const change: Change = { conversationId: id, userId: bob, by: alice };
    expect(await atBob.waitFor('participant-removed')).toEqual(change);
    expect(await atCarol.waitFor('participant-removed')).toEqual(change);
    expect((await atBob.refused('join-conversation', id)).code).toBe('NOT_FOUND');
    expect((await atBob.refused('send-message', { conversationId: id, content: { text: 'x' } })).code).toBe(
      'NOT_FOUND',
    );
    expect((await call(bob, 'GET', `/v1/conversations/${id}`)).status).toBe(404);
    expect((await remove(alice, id, bob)).status).toBe(404);
  });

  it('is told within 5 s when the node that committed it died before it could', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await group(alice, bob);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 0), cluster.connect(bob, 1)]);
    await atBob.ask('join-conversation', id);
    // What such a node leaves behind: the change, and its notice in the outbox.
    const change = { type: 'removed', userId: bob, by: alice };
    const notices = [{ kind: 'conversation', payload: { id: randomUUID(), conversationId: id, version: 2, change } }];
    await sql.query(
      `WITH left_behind AS (INSERT INTO outbox (node_id, notices) VALUES ('dead', $2)),
            bumped AS (UPDATE conversations SET participants_version = 2, participant_count = 1 WHERE id = $1)
       UPDATE participants SET left_at = now() WHERE conversation_id = $1 AND user_id = $3`,
      [id, JSON.stringify(notices), bob],
    );
    const heard = { conversationId: id, userId: bob, by: alice };
    expect(await Promise.all([atAlice, atBob].map((at) => at.waitFor('participant-removed')))).toEqual([heard, heard]);
    expect((await atBob.refused('leave-conversation', id)).code).toBe('NOT_FOUND');
    expect(atAlice.of('participant-removed')).toHaveLength(1);
  });

  it('follows the roles', async () => {
    const [owner, admin, other, member] = someUsers(4) as [string, string, string, string];
    const id = await group(owner, admin, other, member);
    await setRole(owner, id, admin, 'admin');
    await setRole(owner, id, other, 'admin');
    expect((await remove(member, id, admin)).status).toBe(403);
    expect((await remove(admin, id, other)).status).toBe(403);
    expect((await remove(admin, id, owner)).status).toBe(403);
    expect((await remove(admin, id, member)).status).toBe(204);
    expect((await remove(owner, id, admin)).status).toBe(204);
    expect((await remove(other, id, other)).status).toBe(204);
  });

  it('lets the owner leave last', async () => {
    const [owner, member] = someUsers(2) as [string, string];
    const id = await group(owner, member);
    expect((await remove(owner, id, owner)).status).toBe(409);
    expect((await remove(member, id, member)).status).toBe(204);
    expect((await remove(owner, id, owner)).status).toBe(204);
    expect((await call(owner, 'GET', `/v1/conversations/${id}`)).status).toBe(404);
  });

  it('leaves direct conversations as they are', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    const direct = { kind: 'direct', participantIds: [bob] };
    const { id } = (await call<Conversation>(alice, 'POST', '/v1/conversations', direct)).body;
    expect((await remove(alice, id, alice)).status).toBe(409);
    expect((await remove(alice, id, bob)).status).toBe(409);
    expect((await add(alice, id, [carol])).status).toBe(409);
    expect((await setRole(alice, id, bob, 'admin')).status).toBe(409);
    expect((await add(carol, id, [carol])).status).toBe(404);
  });
});

describe('roles', () => {
  it('are the owner’s to give, and everybody hears', async () => {
    const [owner, bob, carol] = someUsers(3) as [string, string, string];
    const id = await group(owner, bob, carol);
    const atCarol = await cluster.connect(carol, 1);
    const { status, body } = await setRole(owner, id, bob, 'admin');
    expect(status).toBe(200);
    expect(body).toEqual({ userId: bob, role: 'admin', joinedAt: expect.any(String), deliveredSeq: 0, readSeq: 0 });
    const updated = await atCarol.waitFor<Conversation>('conversation-updated');
    expect(updated.participants.find(({ userId }) => userId === bob)?.role).toBe('admin');
    expect((await setRole(bob, id, carol, 'admin')).status).toBe(403);
    expect((await setRole(owner, id, 'nobody', 'admin')).status).toBe(404);
    expect((await setRole(owner, id, carol, 'king')).status).toBe(400);
  });

  it('hand ownership over in one step, and only then may the old owner leave', async () => {
    const [owner, bob] = someUsers(2) as [string, string];
    const id = await group(owner, bob);
    expect((await setRole(owner, id, owner, 'member')).status).toBe(409);
    expect((await setRole(owner, id, owner, 'owner')).status).toBe(200);
    expect((await setRole(owner, id, bob, 'owner')).status).toBe(200);
    expect(await rolesOf(bob, id)).toEqual({ [owner]: 'admin', [bob]: 'owner' });
    expect((await setRole(owner, id, owner, 'owner')).status).toBe(403);
    expect((await remove(owner, id, owner)).status).toBe(204);
  });

  it('make one owner, also when ownership is handed to two at once', async () => {
    const [owner, bob, carol] = someUsers(3) as [string, string, string];
    const id = await group(owner, bob, carol);
    const answers = await Promise.all([setRole(owner, id, bob, 'owner'), setRole(owner, id, carol, 'owner')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect(Object.values(await rolesOf(owner, id)).filter((role) => role === 'owner')).toHaveLength(1);
  });
});

/** Every way to take access away (or give it back), with what another node must see of it. */
import { expect } from 'vitest';
import type { Conversation, ErrorBody } from '../../src/common/index.js';
import { UserVisibility } from '../../src/users/index.js';
import { refusedConnection, rest, tokenFor, type RestAnswer, type TestClient } from './client.js';
import type { TestCluster } from './cluster.js';
import { directConversation, groupConversation, mutualConversation } from './conversations.js';

/** A revocation whose scene is set: what is remembered on node 1 is there. */
export interface PreparedRevocation {
  /** On node 0. Resolves when it was answered. */
  act(): Promise<unknown>;
  /** On node 1. Rejects until the change counts there. */
  effect(): Promise<void>;
}

export interface RevocationKind {
  name: string;
  /** @param id part of the ids of users: each preparation has its own */
  prepare(cluster: TestCluster, id: string): Promise<PreparedRevocation>;
}

async function succeeded(answer: Promise<RestAnswer>): Promise<RestAnswer> {
  const { status, body, headers } = await answer;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return { status, body, headers };
}

const admin = { claims: { scope: 'admin' } };
/** Issued long enough ago that the second of a revocation is another one. */
const old = () => ({ claims: { iat: Math.floor(Date.now() / 1_000) - 60 } });

async function wasClosed(client: TestClient): Promise<void> {
  expect(client.of<ErrorBody>('error').map(({ code }) => code)).toEqual(['TOKEN_REVOKED']);
  expect(client.socket.connected).toBe(false);
}

async function isRefused(client: TestClient, code: string, event: string, payload: unknown): Promise<void> {
  expect((await client.refused(event, payload)).code).toBe(code);
}

/** The receipts that a user sees of another, on node 1. */
async function readSeqOf(cluster: TestCluster, viewerId: string, conversationId: string, userId: string) {
  const path = `/v1/conversations/${conversationId}`;
  const { body } = await succeeded(rest<Conversation>(cluster.url(1), viewerId, 'GET', path));
  return (body as Conversation).participants.find((one) => one.userId === userId)!.readSeq;
}

/**
 * A direct conversation in which the first user has read a message, as the second sees on node 1.
 */
async function readConversation(cluster: TestCluster, readerId: string, viewerId: string): Promise<string> {
  const conversationId = await directConversation(cluster.url(), viewerId, readerId);
  const path = `/v1/conversations/${conversationId}`;
  await succeeded(rest(cluster.url(), viewerId, 'POST', `${path}/messages`, { content: { text: 'hello' } }));
  await succeeded(rest(cluster.url(), readerId, 'POST', `${path}/read`, { seq: 1 }));
  expect(await readSeqOf(cluster, viewerId, conversationId, readerId)).toBe(1);
  return conversationId;
}

// Without Redis, answers on presence are `unknown`; what decides them is asked instead.
async function canSee(cluster: TestCluster, viewerId: string, userId: string): Promise<boolean> {
  const sights = await cluster.nodes[1]!.app!.get(UserVisibility, { strict: false }).visibleTo(viewerId, [userId]);
  return sights.get(userId)!.online;
}

async function isOut(client: TestClient, conversationId: string, userId: string): Promise<void> {
  await isRefused(client, 'NOT_FOUND', 'typing-start', { conversationId });
  expect(client.of('participant-removed')).toMatchObject([{ conversationId, userId }]);
}

export const revocationKinds: RevocationKind[] = [
  {
    name: 'a revoked token',
    async prepare(cluster, id) {
      const user = `token-${id}`;
      const token = await tokenFor(user, old());
      const client = await cluster.connect(user, 1, { token });
      return {
        act: () => succeeded(rest(cluster.url(), 'root', 'POST', '/v1/auth/revoke', { sub: user }, admin)),
        async effect() {
          await wasClosed(client);
          expect((await refusedConnection(cluster.url(1), { token })).code).toBe('TOKEN_REVOKED');
          expect((await rest(cluster.url(1), user, 'GET', '/v1/me', undefined, old())).body.code).toBe('TOKEN_REVOKED');
        },
      };
    },
  },
  {
    name: 'the end of all other sessions',
    async prepare(cluster, id) {
      const user = `sessions-${id}`;
      const kept = { token: await tokenFor(user, { claims: { ...old().claims, jti: 'kept' } }) };
      const client = await cluster.connect(user, 1, old());
      const keptClient = await cluster.connect(user, 1, kept);
      return {
        act: () => succeeded(rest(cluster.url(), user, 'DELETE', '/v1/me/sessions', undefined, kept)),
        async effect() {
          await wasClosed(client);
          await keptClient.ask('heartbeat');
          const answers = [kept, old()].map((options) =>
            rest(cluster.url(1), user, 'GET', '/v1/me', undefined, options),
          );
          expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 401]);
        },
      };
    },
  },
  {
    name: 'a removed device',
    async prepare(cluster, id) {
      const user = `device-${id}`;
      const token = await tokenFor(user, old());
      const phone = await cluster.connect(user, 1, { deviceId: 'phone', token });
      const laptop = await cluster.connect(user, 1, { deviceId: 'laptop', token });
      return {
        act: () => succeeded(rest(cluster.url(), user, 'DELETE', '/v1/me/devices/phone', undefined, old())),
        async effect() {
          await wasClosed(phone);
          await laptop.ask('heartbeat');
          expect((await refusedConnection(cluster.url(1), { token, deviceId: 'phone' })).code).toBe('TOKEN_REVOKED');
        },
      };
    },
  },
  {
    name: 'a removed participant',
    async prepare(cluster, id) {
      const [owner, member] = [`remover-${id}`, `removed-${id}`];
      const conversationId = await groupConversation(cluster.url(), owner, [member]);
      const client = await cluster.connect(member, 1);
      await client.ask('typing-start', { conversationId });
      const path = `/v1/conversations/${conversationId}/participants/${member}`;
      return {
        act: () => succeeded(rest(cluster.url(), owner, 'DELETE', path)),
        effect: () => isOut(client, conversationId, member),
      };
    },
  },
  {
    name: 'a participant who left',
    async prepare(cluster, id) {
      const [owner, member] = [`stayer-${id}`, `leaver-${id}`];
      const conversationId = await groupConversation(cluster.url(), owner, [member]);
      const client = await cluster.connect(member, 1);
      await client.ask('typing-start', { conversationId });
      const path = `/v1/conversations/${conversationId}/participants/${member}`;
      return {
        act: () => succeeded(rest(cluster.url(), member, 'DELETE', path)),
        effect: () => isOut(client, conversationId, member),
      };
    },
  },
  {
    name: 'a demotion',
    async prepare(cluster, id) {
      const [owner, demoted] = [`owner-${id}`, `demoted-${id}`];
      const conversationId = await groupConversation(cluster.url(), owner, [demoted]);
      const path = `/v1/conversations/${conversationId}`;
      const setRole = (role: string) =>
        succeeded(rest(cluster.url(), owner, 'PATCH', `${path}/participants/${demoted}`, { role }));
      const send = async () =>
        (await succeeded(rest(cluster.url(), owner, 'POST', `${path}/messages`, { content: { text: 'x' } }))).body.id;
      await setRole('admin');
      const client = await cluster.connect(demoted, 1);
      await client.ask('delete-message', { messageId: await send() });
      return {
        act: () => setRole('member'),
        effect: async () => isRefused(client, 'FORBIDDEN', 'delete-message', { messageId: await send() }),
      };
    },
  },
  {
    name: 'a block',
    async prepare(cluster, id) {
      const [blocker, blocked] = [`blocker-${id}`, `blocked-${id}`];
      await mutualConversation(cluster.url(), blocker, blocked);
      const conversationId = await readConversation(cluster, blocker, blocked);
      expect(await canSee(cluster, blocked, blocker)).toBe(true);
      const path = `/v1/me/blocks/${blocked}`;
      return {
        act: () => succeeded(rest(cluster.url(), blocker, 'PUT', path)),
        async effect() {
          expect(await canSee(cluster, blocked, blocker)).toBe(false);
          expect(await readSeqOf(cluster, blocked, conversationId, blocker)).toBe(0);
        },
      };
    },
  },
  {
    name: 'the end of a block',
    async prepare(cluster, id) {
      const [blocker, blocked] = [`forgiver-${id}`, `forgiven-${id}`];
      const conversationId = await readConversation(cluster, blocker, blocked);
      const path = `/v1/me/blocks/${blocked}`;
      await succeeded(rest(cluster.url(), blocker, 'PUT', path));
      expect(await readSeqOf(cluster, blocked, conversationId, blocker)).toBe(0);
      return {
        act: () => succeeded(rest(cluster.url(), blocker, 'DELETE', path)),
        effect: async () => expect(await readSeqOf(cluster, blocked, conversationId, blocker)).toBe(1),
      };
    },
  },
  {
    name: 'a change of privacy',
    async prepare(cluster, id) {
      const [reader, viewer] = [`private-${id}`, `curious-${id}`];
      const conversationId = await readConversation(cluster, reader, viewer);
      return {
        act: () => succeeded(rest(cluster.url(), reader, 'PATCH', '/v1/me', { privacy: { readReceipts: false } })),
        effect: async () => expect(await readSeqOf(cluster, viewer, conversationId, reader)).toBe(0),
      };
    },
  },
  {
    name: 'a removed contact',
    async prepare(cluster, id) {
      const [user, contact] = [`user-${id}`, `contact-${id}`];
      const path = `/v1/me/contacts/${contact}`;
      await succeeded(rest(cluster.url(), user, 'PUT', path));
      expect(await canSee(cluster, contact, user)).toBe(true);
      return {
        act: () => succeeded(rest(cluster.url(), user, 'DELETE', path)),
        effect: async () => expect(await canSee(cluster, contact, user)).toBe(false),
      };
    },
  },
];

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message, Presence } from '../../src/common/index.js';
import type { Audience, Privacy } from '../../src/users/index.js';
import { rest, type RestAnswer, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { manually, send, someUsers } from '../support/receipts.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { presenceGraceMs: 100, editWindowSeconds: 60 } });
});
afterAll(() => cluster?.stop());

async function call<T>(userId: string, method: string, path: string, body?: unknown, node = 0): Promise<T> {
  const answer: RestAnswer<T> = await rest<T>(cluster.url(node), userId, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
const setPrivacy = (userId: string, privacy: Partial<Privacy>): Promise<unknown> =>
  call(userId, 'PATCH', '/v1/me', { privacy });
const addContact = (userId: string, contactId: string, node = 0): Promise<unknown> =>
  call(userId, 'PUT', `/v1/me/contacts/${contactId}`, undefined, node);
const write = (userId: string, conversationId: string, node = 0): Promise<Message> =>
  call(userId, 'POST', `/v1/conversations/${conversationId}/messages`, { content: { text: 'hello' } }, node);
const members = (conversationId: string): string => `/v1/conversations/${conversationId}/participants`;

/** Who is looked at (on node 0), who looks (on node 1), and a third who brings them together. */
interface Cast {
  user: string;
  viewer: string;
  third: string;
  atUser: TestClient;
}

interface Act {
  what: string;
  /** What the user has accepted the viewer by. */
  accepts: 'nothing' | 'a group' | 'contact or direct';
  /** Whether the viewer has the user as a contact by it. */
  isDirect: boolean;
  play: (cast: Cast) => Promise<unknown>;
}

const acts: Act[] = [
  { what: 'does nothing', accepts: 'nothing', isDirect: false, play: () => Promise.resolve() },
  {
    what: 'adds the viewer as a contact',
    accepts: 'contact or direct',
    isDirect: false,
    play: ({ user, viewer }) => addContact(user, viewer),
  },
  {
    what: 'opens a new direct conversation',
    accepts: 'contact or direct',
    isDirect: true,
    play: ({ user, viewer }) => directConversation(cluster.url(), user, viewer),
  },
  {
    what: 'opens the direct conversation that the viewer has made',
    accepts: 'contact or direct',
    isDirect: true,
    play: async ({ user, viewer }) => {
      const theirs = await directConversation(cluster.url(1), viewer, user);
      expect(await directConversation(cluster.url(0), user, viewer)).toBe(theirs);
    },
  },
  {
    what: 'sends in the direct conversation, over the socket',
    accepts: 'contact or direct',
    isDirect: true,
    play: async ({ user, viewer, atUser }) => send(atUser, await directConversation(cluster.url(1), viewer, user)),
  },
  {
    what: 'sends several messages at once in the direct conversation',
    accepts: 'contact or direct',
    isDirect: true,
    play: async ({ user, viewer, atUser }) => send(atUser, await directConversation(cluster.url(1), viewer, user), 20),
  },
  {
    what: 'sends in the direct conversation, over REST on the other node',
    accepts: 'contact or direct',
    isDirect: true,
    play: async ({ user, viewer }) => write(user, await directConversation(cluster.url(1), viewer, user), 1),
  },
  {
    what: 'reads what the viewer has written',
    accepts: 'nothing',
    isDirect: true,
    play: async ({ user, viewer, atUser }) => {
      const conversationId = await directConversation(cluster.url(1), viewer, user);
      await write(viewer, conversationId, 1);
      await atUser.ask('join-conversation', conversationId);
      await atUser.ask('get-messages', { conversationId });
      await atUser.ask('mark-read', { conversationId, seq: 1 });
      await atUser.ask('typing-start', { conversationId });
    },
  },
  {
    what: 'is added to a group by the viewer, who writes there',
    accepts: 'nothing',
    isDirect: false,
    play: async ({ user, viewer }) => write(viewer, await groupConversation(cluster.url(1), viewer, [user]), 1),
  },
  {
    what: 'is written to',
    accepts: 'nothing',
    isDirect: true,
    play: async ({ user, viewer }) => write(viewer, await directConversation(cluster.url(1), viewer, user), 1),
  },
  {
    what: 'creates a group with the viewer',
    accepts: 'a group',
    isDirect: false,
    play: ({ user, viewer }) => groupConversation(cluster.url(), user, [viewer]),
  },
  {
    what: 'creates a group that the viewer is added to later',
    accepts: 'a group',
    isDirect: false,
    play: async ({ user, viewer, third }) => {
      const id = await groupConversation(cluster.url(), user, [third]);
      await call(user, 'POST', members(id), { userIds: [viewer] });
    },
  },
  {
    what: 'sends in a group of a third',
    accepts: 'a group',
    isDirect: false,
    play: async ({ user, viewer, third, atUser }) =>
      send(atUser, await groupConversation(cluster.url(1), third, [user, viewer])),
  },
  {
    what: 'sends in a group of the viewer, over REST',
    accepts: 'a group',
    isDirect: false,
    play: async ({ user, viewer }) => write(user, await groupConversation(cluster.url(1), viewer, [user])),
  },
];
const privacies: Audience[] = ['contacts', 'everyone', 'nobody'];

/** How the viewer can see the user, who is away: by each way, whether they do. */
type Seen = Record<'unasked' | 'subscription' | 'question' | 'REST', boolean>;

function right({ accepts, isDirect }: Act, privacy: Audience, hasAdded: boolean): Seen {
  const may = privacy === 'everyone' || (privacy === 'contacts' && accepts !== 'nothing');
  const hasAsContact = hasAdded || isDirect;
  const unasked = may && hasAsContact && (privacy === 'everyone' || accepts === 'contact or direct');
  return { unasked, subscription: may, question: may, REST: may };
}

describe.each(acts)('a user who $what', (act) => {
  describe.each(privacies)('with the privacy %s', (privacy) => {
    it.each([false, true])('is seen as that says; the viewer has added them: %s', async (hasAdded) => {
      expect(await play(act, privacy, hasAdded)).toEqual(right(act, privacy, hasAdded));
    });
  });
});

async function play(act: Act, privacy: Audience, hasAdded: boolean): Promise<Seen> {
  const { user, viewer, third, fence, nobody } = someUsers('user', 'viewer', 'third', 'fence', 'nobody');
  await setPrivacy(user, { online: privacy, lastSeen: privacy });
  await setPrivacy(fence, { online: 'everyone' });
  await addContact(viewer, fence, 1);
  if (hasAdded) await addContact(viewer, user, 1);
  const [atUser, atFence, plain, subscribed] = await Promise.all([
    cluster.connect(user, 0, manually),
    cluster.connect(fence, 0, manually),
    cluster.connect(viewer, 1, { ...manually, deviceId: 'plain' }),
    cluster.connect(viewer, 1, { ...manually, deviceId: 'subscribed' }),
  ]);
  // Before the act: what is remembered of the time without it must not count.
  await subscribed.ask('subscribe-presence', [user]);
  await act.play({ user, viewer, third, atUser });
  await atUser.ask('user-online', { status: 'away' });
  await atFence.ask('user-online', { status: 'away' });
  const isAwayOf = (userId: string) => (presence: Presence) => presence.userId === userId && presence.status === 'away';
  // A node tells changes in order: whatever the viewer hears of the user has come before this.
  for (const client of [plain, subscribed]) await client.waitFor('user-online', isAwayOf(fence));

  const heard = (client: TestClient): boolean => seen(client.of<Presence>('user-online').find(isAwayOf(user)), user);
  const { presences } = await plain.ask<{ presences: Presence[] }>('get-presence', [user, nobody]);
  const { items } = await call<{ items: Presence[] }>(
    viewer,
    'GET',
    `/v1/presence?userIds=${user},${nobody}`,
    undefined,
    1,
  );
  for (const answer of [presences, items]) expect(answer[1]).toEqual(hidden(nobody));
  for (const client of [atUser, atFence, plain, subscribed]) client.close();
  return {
    unasked: heard(plain),
    subscription: heard(subscribed),
    question: seen(presences[0], user),
    REST: seen(items[0], user),
  };
}

const hidden = (userId: string): Presence => ({ userId, status: 'offline', lastSeenAt: null });

/** Whether this shows the user as they are; what does not must be what is shown of nobody. */
function seen(presence: Presence | undefined, userId: string): boolean {
  const isShown = presence !== undefined && presence.status !== 'offline';
  if (isShown) expect(presence).toEqual({ userId, status: 'away', lastSeenAt: expect.any(String) });
  else if (presence) expect(presence).toEqual(hidden(userId));
  return isShown;
}

describe('acceptance', () => {
  /** Whether a viewer, asking each node, sees that a user is there; the nodes agree soon. */
  async function sees(viewer: string, user: string, right: boolean): Promise<void> {
    for (const node of [0, 1]) {
      await expect
        .poll(
          async () =>
            (await call<{ items: Presence[] }>(viewer, 'GET', `/v1/presence?userIds=${user}`, undefined, node))
              .items[0]!.status,
          { timeout: 5_000, interval: 20 },
        )
        .toBe(right ? 'online' : 'offline');
    }
  }

  it('by contact ends when the user takes the contact off, and that by a direct conversation stays', async () => {
    const { user, viewer } = someUsers('user', 'viewer');
    await cluster.connect(user, 0);
    await addContact(user, viewer);
    await sees(viewer, user, true);
    await call(user, 'DELETE', `/v1/me/contacts/${viewer}`);
    await sees(viewer, user, false);
    await addContact(user, viewer);
    await directConversation(cluster.url(), user, viewer);
    await call(user, 'DELETE', `/v1/me/contacts/${viewer}`, undefined, 1);
    await sees(viewer, user, true);
  });

  it('by a group ends when the user leaves, and is renewed by sending again after the return', async () => {
    const { user, viewer, owner } = someUsers('user', 'viewer', 'owner');
    await cluster.connect(user, 0);
    const id = await groupConversation(cluster.url(), owner, [user, viewer]);
    await write(user, id);
    await sees(viewer, user, true);
    await sees(owner, user, true);
    await call(user, 'DELETE', `${members(id)}/${user}`);
    await sees(viewer, user, false);
    await call(owner, 'POST', members(id), { userIds: [user] });
    await sees(viewer, user, false);
    await write(user, id, 1);
    await sees(viewer, user, true);
    await sees(owner, user, true);
  });

  it('by a group ends when the other leaves or is removed, and is renewed by sending again after the return', async () => {
    const { user, viewer, other } = someUsers('user', 'viewer', 'other');
    await cluster.connect(user, 0);
    const id = await groupConversation(cluster.url(), user, [viewer, other]);
    await sees(viewer, user, true);
    await call(viewer, 'DELETE', `${members(id)}/${viewer}`, undefined, 1);
    await sees(viewer, user, false);
    await call(user, 'POST', members(id), { userIds: [viewer] });
    await sees(viewer, user, false);
    await sees(other, user, true);
    await Promise.all(Array.from({ length: 5 }, () => write(user, id)));
    await sees(viewer, user, true);
    await call(user, 'DELETE', `${members(id)}/${viewer}`);
    await call(user, 'POST', members(id), { userIds: [viewer] });
    await sees(viewer, user, false);
    await write(user, id);
    await sees(viewer, user, true);
  });

  it('by sending stays when the messages are deleted, or have expired', async () => {
    const { user, deleter, patient } = someUsers('user', 'deleter', 'patient');
    await cluster.connect(user, 0);
    const first = await directConversation(cluster.url(), deleter, user);
    const { id } = await write(user, first);
    await call(user, 'DELETE', `/v1/messages/${id}?scope=everyone`);
    await sees(deleter, user, true);
    const second = await directConversation(cluster.url(), patient, user);
    const atPatient = await cluster.connect(patient, 1);
    await call(user, 'POST', `/v1/conversations/${second}/messages`, { content: { text: 'x' }, expiresInSeconds: 1 });
    await atPatient.waitFor('message-deleted', undefined, 20_000);
    await sees(patient, user, true);
  });

  it('is not what a refused send brings', async () => {
    const { user, viewer, stranger } = someUsers('user', 'viewer', 'stranger');
    const atUser = await cluster.connect(user, 0);
    const id = await directConversation(cluster.url(), viewer, user);
    await atUser.refused('send-message', { conversationId: id, content: { text: 'hi' }, mentions: [stranger] });
    await atUser.refused('send-message', { conversationId: id, content: {} });
    await sees(viewer, user, false);
    await send(atUser, id);
    await sees(viewer, user, true);
  });

  it('counts for each setting of its own', async () => {
    const { user, viewer } = someUsers('user', 'viewer');
    await cluster.connect(user, 0);
    await setPrivacy(user, { online: 'everyone' });
    const look = async (): Promise<Presence> =>
      (await call<{ items: Presence[] }>(viewer, 'GET', `/v1/presence?userIds=${user}`, undefined, 1)).items[0]!;
    await expect.poll(look).toEqual({ userId: user, status: 'online', lastSeenAt: null });
    await directConversation(cluster.url(), user, viewer);
    await expect.poll(look).toEqual({ userId: user, status: 'online', lastSeenAt: expect.any(String) });
    await setPrivacy(user, { online: null as never, lastSeen: 'nobody' });
    await expect.poll(look).toEqual({ userId: user, status: 'online', lastSeenAt: null });
  });
});

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Message } from '../../src/common/index.js';
import { rest, type RestAnswer, type TestClient } from './client.js';
import type { TestCluster } from './cluster.js';
import { directConversation, groupConversation } from './conversations.js';

/** A conversation of connected users on different nodes. */
export interface Scene {
  conversationId: string;
  /** The first of the names; owner of the group. */
  alice: TestClient;
  /** Every client, alice included, in the order of the names. */
  clients: TestClient[];
  /** Sends as one of them. */
  say(who: TestClient, text: string, more?: object): Promise<Message>;
  /**
   * Resolves when everything in flight to these clients has arrived. Ordered events come before
   * this one.
   */
  settle(): Promise<void>;
}

/** User `i` connects to node `i`, counted round. */
export async function scene(cluster: TestCluster, kind: 'direct' | 'group', names: string[]): Promise<Scene> {
  const users = names.map((name) => `${name}-${randomUUID().slice(0, 8)}`);
  const [first, ...others] = users as [string, ...string[]];
  const conversationId = await (kind === 'direct'
    ? directConversation(cluster.url(), first, others[0]!)
    : groupConversation(cluster.url(), first, others));
  const clients = await Promise.all(users.map((user, i) => cluster.connect(user, i)));
  const say = async (who: TestClient, text: string, more: object = {}) => {
    const ask = { conversationId, content: { text }, ...more };
    return (await who.ask<{ message: Message }>('send-message', ask)).message;
  };
  const settle = async () => {
    const fence = await say(clients[0]!, 'that was all');
    const hears = (client: TestClient) => client.waitFor<Message>('new-message', ({ id }) => id === fence.id);
    await Promise.all(clients.slice(1).map(hears));
  };
  return { conversationId, alice: clients[0]!, clients, say, settle };
}

/** A user's history of a conversation, as any node shows it. */
export async function historyOf(
  cluster: TestCluster,
  userId: string,
  conversationId: string,
  node = 0,
): Promise<Message[]> {
  const path = `/v1/conversations/${conversationId}/messages?limit=200`;
  return (await rest<{ items: Message[] }>(cluster.url(node), userId, 'GET', path)).body.items;
}

/** An error without what differs from one request to the next. */
export function withoutRequestId<T extends { requestId: string }>({ requestId, ...rest }: T): Omit<T, 'requestId'> {
  void requestId;
  return rest;
}

/** The code of a REST failure, after its status was found to be the one given. */
export function codeOf(answer: RestAnswer, status: number): string {
  if (answer.status !== status) throw new Error(`${status} expected: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.code as string;
}

/** A look behind the doors, closed with `end()`. */
export function poolOf(cluster: TestCluster): pg.Pool {
  return new pg.Pool({ connectionString: cluster.database.url, max: 2 });
}

/** Makes a message look older than it is. */
export async function age(sql: pg.Pool, messageId: string, seconds: number): Promise<void> {
  await sql.query(`UPDATE messages SET created_at = created_at - make_interval(secs => $2) WHERE id = $1`, [
    messageId,
    seconds,
  ]);
}

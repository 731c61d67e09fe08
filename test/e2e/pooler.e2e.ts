/** PgBouncer between the server and Postgres. */
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { spawnSource } from '../setup/node-process.js';
import { createDatabase } from '../setup/services.js';
import { rest, testSecret } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { startPgBouncer } from '../support/pg-bouncer.js';

const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

async function pooled(mode: string, more?: string): Promise<string> {
  const database = await createDatabase();
  closing.push(() => database.drop());
  const bouncer = await startPgBouncer(database.url, mode, more);
  closing.push(() => bouncer.stop());
  return bouncer.url;
}

async function outputOfStart(databaseUrl: string): Promise<string[]> {
  const child = await spawnSource('main.js', {
    NODE_ENV: '',
    DATABASE_URL: databaseUrl,
    JWT_SECRET: testSecret,
    PORT: '0',
    LOG_LEVEL: 'warn',
    REDIS_URL: '',
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  expect((await once(child, 'close'))[0]).toBe(1);
  return output.trimEnd().split('\n');
}

describe('PgBouncer', () => {
  it.each([
    ['transaction', ''],
    ['transaction', 'ignore_startup_parameters = statement_timeout,lock_timeout,options'],
    ['transaction', 'server_round_robin = 1'],
    ['statement', ''],
  ])('in %s mode is refused at start, in one line (%s)', async (mode, more) => {
    expect(await outputOfStart(await pooled(mode, more))).toEqual([
      expect.stringMatching(/^DATABASE_URL: leads through a pooler in transaction or statement mode \(PgBouncer/),
    ]);
  });

  it('in session mode serves two nodes', async () => {
    const cluster = await TestCluster.start({ settings: { databaseUrl: await pooled('session') } });
    closing.push(() => cluster.stop());
    const id = await directConversation(cluster.url(), 'alice', 'bob');
    const [alice, bob] = [await cluster.connect('alice', 0), await cluster.connect('bob', 1)];
    const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`);
    await Promise.all(texts.map((text) => alice.ask('send-message', { conversationId: id, content: { text } })));
    const heard = await bob.waitForCount<{ seq: number }>('new-message', 20);
    expect(heard.map(({ seq }) => seq)).toEqual(texts.map((_, i) => i + 1));
    expect((await rest(cluster.url(1), 'bob', 'GET', `/v1/conversations/${id}/messages`)).body.items).toHaveLength(20);
  });
});

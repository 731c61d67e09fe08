import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { newRandomId } from '../common/index.js';
import { busChannel, connectionLeasesKey } from './redis-keys.js';
import { RedisConnection } from './redis-connection.js';
import { SocketAdapterFactory } from './socket-adapter.js';
import { eventually } from '../../test/setup/patience.js';

const one = { prefix: 'parley', deployment: 'one' };
const uncaught: unknown[] = [];
const noteUncaught = (reason: unknown) => void uncaught.push(reason);
let redis: TestRedis;
let admin: Redis;
const ends: (() => Promise<unknown>)[] = [];

async function open(place = one, database = 0): Promise<RedisConnection> {
  const connection = await RedisConnection.open(`${redis.url}/${database}`, 1_000, place);
  ends.push(() => connection.close());
  return connection;
}

function heardBy({ bus }: RedisConnection): unknown[] {
  const heard: unknown[] = [];
  bus.subscribe('topic', (payload) => heard.push(payload));
  return heard;
}

function socketServer(connection: RedisConnection): { server: Server; factory: SocketAdapterFactory; heard: string[] } {
  const factory = new SocketAdapterFactory(connection);
  const server = new Server(createServer(), { adapter: factory.create()! });
  ends.unshift(() => server.close());
  const heard: string[] = [];
  server.on('hello' as never, ((text: string) => heard.push(text)) as never);
  return { server, factory, heard };
}

beforeAll(async () => {
  for (const kind of ['uncaughtException', 'unhandledRejection'] as const) process.on(kind, noteUncaught);
  redis = await startRedis();
  admin = new Redis(redis.port);
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  expect(uncaught).toEqual([]);
});

afterAll(async () => {
  admin.disconnect();
  await redis.stop();
  for (const kind of ['uncaughtException', 'unhandledRejection'] as const) process.off(kind, noteUncaught);
});

it.each([
  ['another number of the Redis database', one, 2],
  ['another database', { ...one, deployment: 'two' }, 0],
  ['another prefix', { ...one, prefix: 'other' }, 0],
])('hears the nodes of its own deployment and none of one with %s', async (_name, place, database) => {
  const [sender, own, foreign] = [await open(), await open(), await open(place, database)];
  const [heardByOwn, heardByForeign] = [heardBy(own), heardBy(foreign)];
  await sender.bus.publish('topic', 'theirs');
  await eventually(() => expect(heardByOwn).toEqual(['theirs']));
  // Both ways are open: the foreign node hears what its own deployment says afterwards.
  await (await open(place, database)).bus.publish('topic', 'ours');
  await eventually(() => expect(heardByForeign).toEqual(['ours']));
  expect(heardByOwn).toEqual(['theirs']);

  const [from, near, far] = [sender, own, foreign].map(socketServer);
  const farther = socketServer(await open(place, database));
  await eventually(() => {
    from!.server.serverSideEmit('hello', 'theirs');
    farther.server.serverSideEmit('hello', 'ours');
    expect(near!.heard).toContain('theirs');
    expect(far!.heard).toContain('ours');
  });
  expect(new Set(near!.heard)).toEqual(new Set(['theirs']));
  expect(new Set(far!.heard)).toEqual(new Set(['ours']));
});

it('keeps keys apart, and begins each key and channel with the prefix and the identity', async () => {
  const [a, b] = [await open(), await open({ ...one, deployment: 'two' })];
  for (const connection of [a, b]) {
    await connection.commands.call('zadd', connectionLeasesKey('alice'), 1, connection.namespace);
    socketServer(connection);
  }
  expect(await a.commands.call('zrange', connectionLeasesKey('alice'), 0, -1)).toEqual([a.namespace]);
  const keys = (await admin.keys('*')).filter((key) => !key.includes('probe:'));
  expect(keys.sort()).toEqual([a, b].map(({ namespace }) => `${namespace}:{user:alice}:connections`).sort());
  await eventually(async () => expect(await admin.call('pubsub', 'channels')).toHaveLength(8));
  const channels = (await admin.call('pubsub', 'channels')) as string[];
  expect(channels.filter((name) => !name.startsWith('parley:'))).toEqual([]);
});

it('goes on after messages on its channels that no node has made', async () => {
  const [a, b] = [await open(), await open()];
  b.bus.subscribe('late', async (payload) => {
    await Promise.resolve();
    (payload as { deep: string[] }).deep.join();
  });
  const heard = heardBy(b);
  const [from, to] = [socketServer(a), socketServer(b)];
  const namespace = b.namespace;
  const bus = busChannel().within(namespace);
  const frames = [
    '',
    'garbage',
    '\n\n',
    `\ntopic\n"x"`,
    `${newRandomId()}\ntopic\n{`,
    `${newRandomId()}\nlate\n{"a":1}`,
  ];
  for (const frame of frames) await admin.publish(bus, frame);
  for (const channel of ['socket.io#/#', 'socket.io#/#room#', 'socket.io-request#/#', 'socket.io-response#/#']) {
    for (const bytes of [[], [0xc1], [0x93, 0xc1], [0x7b], [0x90], [0xc0], [0xde, 0xff], [0x83, 1]]) {
      await admin.publish(`${namespace}:${channel}`, Buffer.from(bytes));
    }
    await admin.publish(`${namespace}:${channel}`, '{"type":2,"sid":"x"}');
    await admin.publish(`${namespace}:${channel}`, '{"type":5}');
  }
  await a.bus.publish('topic', 'ours');
  await eventually(() => expect(heard).toEqual(['ours']));
  await eventually(() => {
    from.server.serverSideEmit('hello', 'ours');
    expect(to.heard).toContain('ours');
  });
  expect(b.bus.malformedCount).toBe(5);
  expect(to.factory.faults.count).toBeGreaterThan(0);
});

it('uses no other database where Redis lacks the number, and says so', async () => {
  const lost = await open(one, 99);
  expect(lost.commands.fault).toMatch(/DB index is out of range.*127\.0\.0\.1/);
  await expect(lost.commands.call('set', connectionLeasesKey('lost'), 1)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  expect((await admin.keys('*lost*')).concat(await admin.keys(`${lost.namespace}*`))).toEqual([]);
});

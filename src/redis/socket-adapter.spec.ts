import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Server } from 'socket.io';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { RedisConnection } from './redis-connection.js';
import { SocketAdapterFactory } from './socket-adapter.js';
import { eventually } from '../../test/setup/patience.js';

const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown) => void unhandled.push(reason);
let redis: TestRedis;
const connections: RedisConnection[] = [];
const servers: Server[] = [];
const factories: SocketAdapterFactory[] = [];

async function addServer(): Promise<Server> {
  const connection = await RedisConnection.open(redis.url, 400);
  const factory = new SocketAdapterFactory(connection);
  const server = new Server(createServer(), { adapter: factory.create()! });
  connections.push(connection);
  factories.push(factory);
  servers.push(server);
  return server;
}

beforeAll(async () => {
  process.on('unhandledRejection', noteUnhandled);
  redis = await startRedis();
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await Promise.all(connections.map((connection) => connection.close()));
  await redis.stop();
  process.off('unhandledRejection', noteUnhandled);
});

it('carries serverSideEmit between servers, also after an outage, and leaves no rejection unhandled', async () => {
  const [one, two] = [await addServer(), await addServer()];
  const got: string[] = [];
  two.on('hello' as never, ((text: string) => got.push(text)) as never);
  const crosses = (text: string) =>
    eventually(
      () => {
        one.serverSideEmit('hello', text);
        expect(got).toContain(text);
      },
      { timeout: 10_000, interval: 100 },
    );
  await crosses('before');
  await redis.stop();
  await eventually(() => {
    one.emit('nobody', 1);
    one.serverSideEmit('hello', 'lost');
    expect(factories[0]!.faults.count).toBeGreaterThan(1);
  });
  await redis.restart();
  await crosses('after');
  expect(unhandled).toEqual([]);
});

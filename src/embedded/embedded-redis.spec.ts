import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { runInProcess } from '../../test/setup/node-process.js';
import { findRedisServer, startEmbeddedRedis, type EmbeddedRedis } from './index.js';
import { eventually } from '../../test/setup/patience.js';

let dataDir: string;
const running = new Set<EmbeddedRedis>();

async function start(): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dataDir });
  if (redis === null) throw new Error('no redis-server on the PATH');
  running.add(redis);
  return redis;
}

async function stop(redis: EmbeddedRedis): Promise<void> {
  running.delete(redis);
  await redis.stop();
}

function ask(url: string, ...commands: string[]): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write([...commands, 'QUIT', ''].join('\r\n')));
    socket.on('data', (chunk) => (reply += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(reply));
  });
}

function asOwner(url: string, command: string): Promise<string> {
  return ask(url, `AUTH ${new URL(url).password}`, command);
}

async function pidOf(url: string): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await asOwner(url, 'INFO server'))?.[1]);
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(inject('runDir'), 'redis-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all([...running].map(stop));
  await rm(dataDir, { recursive: true, force: true });
});

describe('startEmbeddedRedis', () => {
  it('serves on loopback, below the ephemeral ports, to those who know the password', async () => {
    const { url } = await start();
    expect(new URL(url)).toMatchObject({ protocol: 'redis:', hostname: '127.0.0.1' });
    expect(Number(new URL(url).port)).toBeLessThan(32_768);
    expect(await ask(url, 'PING')).toMatch(/NOAUTH/);
    expect(await asOwner(url, 'PING')).toMatch(/PONG/);
    expect((await stat(join(dataDir, 'redis.json'))).mode & 0o777).toBe(0o600);
  });

  it('keeps nothing on disk', async () => {
    const { url } = await start();
    expect(await asOwner(url, 'CONFIG GET save')).toMatch(/\$4\r\nsave\r\n\$0\r\n/);
    expect(await asOwner(url, 'CONFIG GET appendonly')).toMatch(/\r\nno\r\n/);
  });

  it('leaves no server behind after stop', async () => {
    const redis = await start();
    const pid = await pidOf(redis.url);
    await stop(redis);
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  it('starts a server again that dies under a living app', async () => {
    const { url } = await start();
    process.kill(await pidOf(url), 'SIGKILL');
    await eventually(async () => expect(await asOwner(url, 'PING')).toMatch(/PONG/), { timeout: 5_000 });
  });

  it('ends at the next start what an app that was killed hard has left', async () => {
    const body = `return (await module.startEmbeddedRedis({ dataDir: ${JSON.stringify(dataDir)} })).url;`;
    const { child, result: orphan } = await runInProcess<string>('embedded', body);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await asOwner(orphan, 'PING')).toMatch(/PONG/);
    await start();
    expect(await asOwner(orphan, 'PING')).toBe('');
  });

  it('refuses a second app on the same data directory in one line', async () => {
    await start();
    await expect(start()).rejects.toThrow(/^[^\n]* is in use by another Parley process[^\n]*$/);
  });

  it('is null where neither redis-server nor valkey-server is on the PATH', async () => {
    vi.stubEnv('PATH', dataDir);
    expect(await findRedisServer()).toBeNull();
    expect(await startEmbeddedRedis({ dataDir })).toBeNull();
  });
});

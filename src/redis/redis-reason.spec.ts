import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { RedisCluster } from '../../test/support/redis-cluster.js';
import { RedisSentinel } from '../../test/support/redis-sentinel.js';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { noteStarted } from '../../test/setup/started-processes.js';
import { freePort } from '../embedded/index.js';
import { RedisConnection } from './redis-connection.js';
import { RedisHealth } from './redis-health.js';
import { eventually } from '../../test/setup/patience.js';

let redis: TestRedis;
let tlsPort: number;
let tlsServer: ChildProcess;
let connection: RedisConnection | null = null;

async function startTlsRedis(): Promise<void> {
  tlsPort = await freePort();
  const dir = await mkdtemp(join(inject('runDir'), 'tls-'));
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'];
  execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' });
  const tls = [
    '--tls-port',
    String(tlsPort),
    '--tls-cert-file',
    cert,
    '--tls-key-file',
    key,
    '--tls-auth-clients',
    'no',
  ];
  const words = ['--port', '0', '--bind', '127.0.0.1', '--save', '', '--tls-ca-cert-file', cert, ...tls];
  tlsServer = spawn(inject('redisServerPath'), words, { cwd: dir, stdio: 'ignore' });
  await once(tlsServer, 'spawn');
  await noteStarted(inject('runDir'), tlsServer.pid!);
  const admin = new Redis({
    host: '127.0.0.1',
    port: tlsPort,
    tls: { rejectUnauthorized: false },
    retryStrategy: () => 50,
  });
  admin.on('error', () => undefined);
  await admin.call('acl', 'setuser', 'default', '>right');
  admin.disconnect();
}

beforeAll(async () => {
  redis = await startRedis();
  const admin = new Redis(redis.port);
  await admin.call('acl', 'setuser', 'app', 'on', '>right', '~*', '&*', '+@all');
  admin.disconnect();
  await startTlsRedis();
});

afterEach(async () => {
  await connection?.close();
  connection = null;
});

afterAll(async () => {
  await redis.stop();
  tlsServer.kill('SIGKILL');
});

/** The reasons in readiness' detail and in the log, once they have settled. */
async function reasonsOf(url: string): Promise<{ commands: string; bus: string }> {
  connection = await RedisConnection.open(url, 500);
  expect(new RedisHealth(connection).check().status).toBe('down');
  return { commands: connection.commands.fault!, bus: connection.bus.fault! };
}

it.each<[string, () => string, RegExp]>([
  ['a port where nothing listens', () => 'redis://127.0.0.1:1', /ECONNREFUSED 127\.0\.0\.1:1/],
  ['a host name that does not exist', () => 'redis://nowhere.invalid:6379', /(ENOTFOUND|EAI_AGAIN) nowhere\.invalid/],
  ['a wrong password', () => `redis://app:wrong@127.0.0.1:${redis.port}`, /WRONGPASS.*127\.0\.0\.1/],
  ['a wrong user', () => `redis://nobody:right@127.0.0.1:${redis.port}`, /WRONGPASS.*127\.0\.0\.1/],
  [
    'TLS against a plain port',
    () => `rediss://127.0.0.1:${redis.port}`,
    /(wrong version number|TLS|packet length|ECONNRESET).*127\.0\.0\.1/,
  ],
  ['no TLS against a TLS port', () => `redis://127.0.0.1:${tlsPort}`, /(expects TLS|ECONNRESET).*127\.0\.0\.1/],
  [
    'a certificate that nobody vouches for',
    () => `rediss://localhost:${tlsPort}`,
    /self-signed certificate.*localhost/,
  ],
])('says in the words of whoever refused, with the address: %s', async (_name, url, words) => {
  await reasonsOf(url());
  const { commands, bus } = connection!;
  await eventually(() => expect([commands.fault, bus.fault]).toEqual(Array(2).fill(expect.stringMatching(words))), {
    timeout: 20_000,
  });
});

it('says over TLS too that the password is wrong', async () => {
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    expect(await reasonsOf(`rediss://:wrong@127.0.0.1:${tlsPort}`)).toMatchObject({
      commands: expect.stringMatching(/WRONGPASS.*127\.0\.0\.1/) as string,
      bus: expect.stringMatching(/WRONGPASS/) as string,
    });
    await connection!.close();
    expect((await reasonsOf(`rediss://127.0.0.1:${tlsPort}`)).commands).toMatch(/NOAUTH/);
  } finally {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  }
});

it('names the master that no Sentinel knows', async () => {
  const sentinel = await RedisSentinel.start();
  try {
    await reasonsOf(sentinel.url.replace(/[^/]+$/, 'wrong'));
    const { commands } = connection!;
    const words = /Sentinel 127\.0\.0\.1:\d+ knows no master named "wrong"/;
    await eventually(() => expect(commands.fault).toMatch(words), { timeout: 20_000 });
  } finally {
    sentinel.stop();
  }
});

it('names the address that a node of a Redis Cluster announces and nobody can reach, and stays down', async () => {
  const nowhere = await freePort();
  const cluster = await RedisCluster.start((i) => (i === 0 ? ['--cluster-announce-port', String(nowhere)] : []));
  try {
    connection = await RedisConnection.open(cluster.url, 500);
    const wasUp: boolean[] = [];
    connection.commands.onBack(() => wasUp.push(true));
    await eventually(() => expect(connection!.commands.fault).toContain(`127.0.0.1:${nowhere}`), { timeout: 10_000 });
    const seen: (string | null)[] = [];
    for (let i = 0; i < 30; i++) {
      seen.push(connection.commands.fault);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(seen.filter((fault) => fault === null)).toEqual([]);
    expect(wasUp.length).toBeLessThanOrEqual(1);
  } finally {
    cluster.stop();
  }
});

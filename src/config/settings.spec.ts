import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings, readServerSettings, readSettings, secretsOf, SettingsError } from './settings.js';
import { settingsTable } from './settings.table.js';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
const identityProvider = {
  JWT_JWKS_URL: 'https://id.example/keys',
  JWT_ISSUER: 'https://id.example',
  JWT_AUDIENCE: 'chat',
};
const production = {
  NODE_ENV: 'production',
  JWT_SECRET: secret,
  DATABASE_URL: 'postgres://db/parley',
  REDIS_URL: 'redis://cache',
};

function linesOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readServerSettings(env);
    return [];
  } catch (error) {
    return (error as SettingsError).lines;
  }
}

describe('settings', () => {
  it('have their defaults, and take an empty variable for none', () => {
    const fallbacks = Object.entries(settingsTable).filter(([key]) => key !== 'jwtSecret' && key !== 'host');
    for (const env of [{}, Object.fromEntries(fallbacks.map(([, { env }]) => [env, '']))]) {
      const settings = readServerSettings(env) as unknown as Record<string, unknown>;
      for (const [key, entry] of fallbacks) expect(settings[key], key).toEqual(entry.default);
    }
  });

  it.each([
    ['PORT', ['http', '70000', '-1', '3000.5', ' 3000', '1e3', '0x10']],
    ['DATABASE_URL', ['mysql://db', 'db', '/var/db']],
    ['REDIS_URL', ['http://cache', 'cache:6379', 'redis://a,http://b']],
    ['JWT_SECRET', ['short', 'x'.repeat(31), 'ü'.repeat(15)]],
    ['JWT_JWKS_URL', ['ftp://keys', 'keys.json']],
    ['CORS_ORIGINS', ['corp.example', 'https://corp.example/', 'https://corp.example/path', 'https://corp.example,b']],
    [
      'CORS_ORIGINS',
      [
        'https://*',
        'https://*.*.corp.example',
        'https://a.*.corp.example',
        'https://*corp.example',
        'https://*.corp.example:443',
        'https://Corp.example',
        'https://corp.example:443',
        'wss://corp.example',
        'capacitor://localhost/',
        'capacitor://',
        'file://localhost',
        'https://corp.example junk',
        'https://user@corp.example',
        'http://localhost:*',
        'null',
      ],
    ],
    ['TRUST_PROXY', ['true', 'yes', '-1', '1.5', '10.0.0.0/33', 'loopback', '10.0.0.0/8,true', '::1/129', '101']],
    ['ADMIN_SCOPE', ['two words', 'a"b']],
    ['PUBLIC_URL', ['chat.example.com', 'ftp://chat.example.com']],
    ['MIGRATIONS_RUN', ['maybe', 'yes', '2']],
    ['LOG_LEVEL', ['loud']],
    ['EDIT_WINDOW_SECONDS', ['-1', '15m', 'NaN']],
    ['DELETE_WINDOW_SECONDS', ['-1', 'Infinity']],
    ['TYPING_TTL_MS', ['0', '5s']],
    ['PRESENCE_TTL_MS', ['0', '30 s']],
    ['PRESENCE_GRACE_MS', ['-1']],
    ['OFFLINE_QUEUE_TTL_SECONDS', ['0', 'never']],
    ['OFFLINE_QUEUE_MAX', ['0', '1,000']],
    ['MAX_GROUP_SIZE', ['0', '1']],
    ['RATE_MESSAGES_PER_SECOND', ['0', '0.5']],
    ['RATE_MESSAGES_BURST', ['0']],
    ['RATE_EVENTS_PER_SECOND', ['0']],
    ['RATE_EVENTS_BURST', ['0', 'null']],
  ])('of %s, a wrong value is one line that names it and does not quote it', (name, values) => {
    for (const value of values) {
      const lines = linesOf({ [name]: value });
      expect(lines, value).toHaveLength(1);
      expect(lines[0], value).toMatch(new RegExp(`^${name}: [^\n]+$`));
      if (value.length > 3) expect(lines[0], value).not.toContain(value);
    }
  });

  it.each(['prod', 'Production', 'staging', ' production'])('refuse the NODE_ENV %j with one line', (value) => {
    const lines = [expect.stringMatching('^NODE_ENV: ')];
    expect(linesOf({ NODE_ENV: value })).toEqual(lines);
    expect(linesOf({ NODE_ENV: value, DATABASE_URL: 'postgres://db/parley' })).toEqual(lines);
  });

  it('name every wrong one', () => {
    expect(linesOf({ PORT: 'x', TYPING_TTL_MS: 'y' }).map((line) => line.split(':')[0])).toEqual([
      'PORT',
      'TYPING_TTL_MS',
    ]);
  });

  it('refuse every development default under production', () => {
    expect(linesOf(production)).toEqual([]);
    for (const name of ['JWT_SECRET', 'DATABASE_URL', 'REDIS_URL']) {
      expect(linesOf({ ...production, [name]: undefined })).toEqual([expect.stringMatching(`^${name}: `)]);
    }
    const known = secretsOf(readServerSettings({}))[0];
    expect(linesOf({ ...production, JWT_SECRET: known })).toEqual([expect.stringMatching('^JWT_SECRET: ')]);
  });

  it('keep no secret beside a key set', () => {
    const env = { ...production, ...identityProvider };
    expect(readSettings(env).jwtSecret).toBeUndefined();
    expect(readSettings({ ...env, JWT_SECRET: undefined }).jwtSecret).toBeUndefined();
  });

  it('of JWT_SECRET may be several while they rotate', () => {
    const other = 'another-secret-of-more-than-thirty-two';
    expect(secretsOf(readServerSettings({ JWT_SECRET: `${secret}, ${other}` }))).toEqual([secret, other]);
    expect(linesOf({ JWT_SECRET: `${secret},short` })).toEqual([expect.stringMatching('^JWT_SECRET: ')]);
    expect(linesOf({ JWT_SECRET: `${secret},` })).toEqual([expect.stringMatching('^JWT_SECRET: ')]);
    expect(secretsOf(makeSettings({ jwtSecret: [secret, other] }))).toEqual([secret, other]);
    expect(secretsOf(makeSettings({ jwtSecret: `${secret},${other}` }))).toEqual([`${secret},${other}`]);
  });

  it('given by a program are checked the same way', () => {
    expect(() => makeSettings({ port: 70_000 })).toThrow(/^PORT: /);
    expect(makeSettings({ corsOrigins: ['https://app.example'] }).corsOrigins).toEqual(['https://app.example']);
  });
});

describe('the development secret', () => {
  const database = { DATABASE_URL: 'postgres://db/parley' };

  it('listens on loopback, and a secret of the operator on all addresses', () => {
    expect(readServerSettings({}).host).toBe('localhost');
    expect(readServerSettings({ JWT_SECRET: secret }).host).toBe('*');
    expect(readServerSettings({ ...identityProvider }).host).toBe('*');
    for (const HOST of ['127.0.0.1', '127.8.0.1', '::1', 'localhost']) expect(linesOf({ HOST })).toEqual([]);
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['an external database', database],
    ['all addresses', { HOST: '0.0.0.0' }],
    ['all addresses of both families', { HOST: '*' }],
    ['an address of the network', { HOST: '192.0.2.1' }],
    ['a name', { HOST: 'chat.example.com' }],
    ['a second port that others reach', { OPS_PORT: '9090', OPS_HOST: '0.0.0.0' }],
  ])('is refused with %s, also when it is given', (_, env) => {
    const known = secretsOf(readServerSettings({}))[0]!;
    for (const JWT_SECRET of [undefined, known, `${secret},${known}`]) {
      expect(linesOf({ ...env, JWT_SECRET })).toEqual([expect.stringMatching('^JWT_SECRET: ')]);
    }
    expect(linesOf({ ...env, JWT_SECRET: secret })).toEqual([]);
  });

  it('is taken with the database that the launcher of the nodes has started', () => {
    expect(readServerSettings(database, { hasOwnDatabase: true }).host).toBe('localhost');
  });

  it('does not belong to an embedding application, which must name its key', () => {
    const known = secretsOf(readServerSettings({}))[0]!;
    expect(secretsOf(makeSettings({}))).toEqual([]);
    expect(secretsOf(readSettings({}))).toEqual([]);
    expect(() => makeSettings({ jwtSecret: known })).toThrow(/^JWT_SECRET: /);
    expect(() => readSettings({ JWT_SECRET: `${secret},${known}` })).toThrow(/^JWT_SECRET: /);
  });
});

describe('under production', () => {
  it('a key set needs an issuer and an audience', () => {
    for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE']) {
      const env = { ...production, ...identityProvider, [name]: undefined };
      expect(linesOf(env)).toEqual([expect.stringMatching(`^${name}: `)]);
      expect(linesOf({ ...env, NODE_ENV: 'development' })).toEqual([]);
    }
  });

  it('documents and metrics are off unless they are asked for or have a port of their own', () => {
    const shown = (env: NodeJS.ProcessEnv) => {
      const { docsEnabled, metricsEnabled } = readServerSettings(env);
      return [docsEnabled, metricsEnabled];
    };
    expect(shown({})).toEqual([true, true]);
    expect(shown(production)).toEqual([false, false]);
    expect(shown({ ...production, OPS_PORT: '9090' })).toEqual([true, true]);
    expect(shown({ ...production, DOCS_ENABLED: 'true' })).toEqual([true, false]);
    expect(shown({ ...production, OPS_PORT: '9090', METRICS_ENABLED: 'false' })).toEqual([true, false]);
    expect(shown({ DOCS_ENABLED: 'false' })).toEqual([false, true]);
  });

  it.each(['prod', 'Production', 'staging', ''])('runs an embedding application whose NODE_ENV is %j', (nodeEnv) => {
    const isUnset = nodeEnv === '';
    const settings = { jwtSecret: secret, databaseUrl: 'postgres://db/parley', redisUrl: 'redis://cache', nodeEnv };
    expect(makeSettings(settings).nodeEnv).toBe(isUnset ? 'development' : 'production');
    expect(readSettings({ ...production, NODE_ENV: nodeEnv }).docsEnabled).toBe(isUnset);
    if (!isUnset) expect(() => makeSettings({ ...settings, redisUrl: undefined })).toThrow(/^REDIS_URL: /);
  });
});

describe('the file of a secret', () => {
  let folder: string;
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-secrets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('holds one secret a line, commas included, and one address', () => {
    const env = {
      JWT_SECRET_FILE: file('jwt', `first, ${secret}\r\nsecond ${secret}\n\n`),
      DATABASE_URL_FILE: file('database', 'postgres://db/parley\n'),
      REDIS_URL_FILE: file('redis', 'redis://:a@cache,redis://:a@other\n'),
    };
    const settings = readServerSettings({ ...production, ...env, JWT_SECRET: '', DATABASE_URL: '', REDIS_URL: '' });
    expect(secretsOf(settings)).toEqual([`first, ${secret}`, `second ${secret}`]);
    expect(settings.databaseUrl).toBe('postgres://db/parley');
    expect(settings.redisUrl).toBe('redis://:a@cache,redis://:a@other');
  });

  it.each(['JWT_SECRET', 'DATABASE_URL', 'REDIS_URL'])('of %s stops the start when it cannot be used', (name) => {
    const withFile = (path: string, value?: string) =>
      linesOf({ ...production, [name]: value, [`${name}_FILE`]: path });
    const line = [expect.stringMatching(`^${name}_FILE: [^\n]+$`)];
    expect(withFile(join(folder, 'missing'))).toEqual(line);
    expect(withFile(folder)).toEqual(line);
    expect(withFile(file('empty', '\n'))).toEqual(line);
    expect(withFile(file('good', 'postgres://db/parley'), production[name as 'JWT_SECRET'])).toEqual(line);
  });
});

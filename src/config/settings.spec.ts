import { describe, expect, it } from 'vitest';
import { makeSettings, readSettings, SettingsError } from './settings.js';
import { settingsTable } from './settings.table.js';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
const production = {
  NODE_ENV: 'production',
  JWT_SECRET: secret,
  DATABASE_URL: 'postgres://db/parley',
  REDIS_URL: 'redis://cache',
};

function linesOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    return (error as SettingsError).lines;
  }
}

describe('settings', () => {
  it('have their defaults, and take an empty variable for none', () => {
    const fallbacks = Object.entries(settingsTable).filter(([key]) => key !== 'jwtSecret');
    for (const env of [{}, Object.fromEntries(fallbacks.map(([, { env }]) => [env, '']))]) {
      const settings = readSettings(env) as unknown as Record<string, unknown>;
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
    const known = readSettings({}).jwtSecret;
    expect(linesOf({ ...production, JWT_SECRET: known })).toEqual([expect.stringMatching('^JWT_SECRET: ')]);
  });

  it('keep no secret beside a key set', () => {
    const env = { ...production, JWT_JWKS_URL: 'https://id.example/keys' };
    expect(readSettings(env).jwtSecret).toBeUndefined();
    expect(readSettings({ ...env, JWT_SECRET: undefined }).jwtSecret).toBeUndefined();
  });

  it('given by a program are checked the same way', () => {
    expect(() => makeSettings({ port: 70_000 })).toThrow(/^PORT: /);
    expect(makeSettings({ corsOrigins: ['https://app.example'] }).corsOrigins).toEqual(['https://app.example']);
  });
});

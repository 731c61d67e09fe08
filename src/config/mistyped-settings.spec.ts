import { describe, expect, it } from 'vitest';
import { mistypedSettings } from './mistyped-settings.js';
import { settingsTable } from './settings.table.js';

describe('a variable of the environment', () => {
  it.each([
    ['RATE_MESSAGE_PER_SECOND', 'RATE_MESSAGES_PER_SECOND'],
    ['JWT_SECRTE', 'JWT_SECRET'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['REDISURL', 'REDIS_URL'],
    ['TRUSTED_PROXY', 'TRUST_PROXY'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['jwt_secret', 'JWT_SECRET'],
    ['PARLEY_JWT_SECRET', 'JWT_SECRET'],
    ['JWT_SECRETS_FILE', 'JWT_SECRET'],
    ['PRESENCE_TTL', 'PRESENCE_TTL_MS'],
  ])('%s gets a warning that names %s', (name, known) => {
    expect(mistypedSettings({ [name]: 'x' })).toEqual([`${name}: is not a setting; did you mean ${known}?`]);
  });

  it.each(['JWT_ALGORITHM', 'RATE_LIMIT', 'PORT_FILE'])('%s gets a warning', (name) => {
    expect(mistypedSettings({ [name]: 'x' })).toEqual([expect.stringMatching(`^${name}: is not a setting`)]);
  });

  it('of somebody else gets none', () => {
    const foreign = [
      'PATH',
      'HOME',
      'HOSTNAME',
      'USER',
      'PWD',
      'SHELL',
      'LANG',
      'TERM',
      'EDITOR',
      'NODE_PATH',
      'NODE_OPTIONS',
      'NODE_VERSION',
      'YARN_VERSION',
      'PGHOST',
      'PGPORT',
      'PGUSER',
      'PGPASSWORD',
      'PGDATABASE',
      'PGSSLMODE',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'NO_PROXY',
      'http_proxy',
      'npm_config_registry',
      'npm_lifecycle_event',
      'CI',
      'XDG_DATA_DIRS',
      'REDIS_HOST',
      'REDIS_PASSWORD',
      'POSTGRES_PASSWORD',
      'REDIS_PORT',
      'REDIS_PORT_6379_TCP',
      'REDIS_SERVICE_HOST',
      'PARLEY_PORT',
      'PARLEY_SERVICE_PORT',
      'PRESENCE_SERVICE_HOST',
      'LOG_FORMAT',
      'DEBUG',
      'KUBERNETES_PORT',
      'DISPLAY',
      'SSH_AUTH_SOCK',
      'TMPDIR',
      'LC_ALL',
      'PARLEY_CLUSTER_NODE',
      'SUPPORT',
      'GHOST_URL',
    ];
    expect(mistypedSettings(Object.fromEntries(foreign.map((name) => [name, 'x'])))).toEqual([]);
  });

  it('that is a setting gets none', () => {
    const own = Object.values(settingsTable).map(({ env }) => env);
    const files = ['JWT_SECRET_FILE', 'DATABASE_URL_FILE', 'REDIS_URL_FILE'];
    expect(mistypedSettings(Object.fromEntries([...own, ...files].map((name) => [name, 'x'])))).toEqual([]);
  });
});

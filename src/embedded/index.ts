/**
 * The services `npm start` brings along: the real Postgres, and a private Redis where one is
 * installed. Each belongs to one app and one data directory, listens on 127.0.0.1 only, survives
 * Ctrl-C until it is stopped, and copes with an app that was killed. Not for production, and
 * imported only by `main.ts` and the set-up of the tests.
 */
export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.js';
export { findRedisServer, startEmbeddedRedis, type EmbeddedRedis } from './embedded-redis.js';
export { EmbeddedServiceError } from './embedded-service.error.js';
export { freePort } from './free-port.js';

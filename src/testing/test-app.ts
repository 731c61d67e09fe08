import type { INestApplication } from '@nestjs/common';
import { mintDevelopmentToken, type DevelopmentTokenOptions } from '../auth/index.js';
import { makeSettings, type Settings, type SettingsValues } from '../config/index.js';
import type { ParleyExtensions } from '../parley.module.js';
import { createServer } from '../server.js';
import { TestClock } from './test-clock.js';
import type { TestService, TestServices } from './test-services.js';

export interface TestAppOptions {
  /** Override those for tests: loopback, only errors logged, a quick end, no rate limits. */
  settings?: Partial<SettingsValues>;
  /** Extensions for `ParleyModule.forRoot`. Not together with `create`. */
  extensions?: ParleyExtensions;
  /**
   * Makes the application where it is not the reference server but one that embeds Parley. Not
   * listening yet; the settings and the clock are to be handed to `ParleyModule.forRoot`.
   */
  create?: (settings: Settings, clock: TestClock) => Promise<INestApplication>;
  /** Processes of the cluster, all in this one; default 1. Several need a Redis. */
  nodes?: number;
  /** False: the memory engine, though a Redis is installed. */
  redis?: boolean;
}

const testSettings: Partial<SettingsValues> = {
  host: '127.0.0.1',
  jwtSecret: 'a secret for tests, which is longer than 32 bytes',
  logLevel: 'error',
  drainJitterMs: 0,
  rateMessagesPerSecond: 10_000,
  rateMessagesBurst: 10_000,
  rateEventsPerSecond: 10_000,
  rateEventsBurst: 10_000,
  rateRequestsPerSecond: 10_000,
  rateRequestsBurst: 10_000,
  failedSignInsPerMinute: 1_000_000,
  newConversationsPerDay: 1_000_000,
};

/**
 * The whole server in a test: real sockets, its own database and Redis, one clock.
 *
 * @since 0.1.0
 * @example
 * ```ts
 * const services = await TestServices.start();
 * const app = await TestApp.start(services, { extensions: { accessPolicy: QuietHoursPolicy } });
 * const socket = io(app.url, { auth: { token: await app.token('alice') } });
 * ```
 */
export class TestApp {
  readonly nodes: INestApplication[] = [];
  /** Settings of each node. */
  readonly urls: string[] = [];
  readonly clock = new TestClock();

  private constructor(
    readonly settings: Settings,
    private readonly database: TestService,
    private readonly redis: TestService | null,
  ) {}

  /** @throws Error when a setting is wrong, or several nodes have no Redis */
  static async start(services: TestServices, options: TestAppOptions = {}): Promise<TestApp> {
    const { settings = {}, nodes = 1, redis: wantsRedis = true } = options;
    const redis = wantsRedis ? await services.startRedis() : null;
    if (nodes > 1 && redis === null) throw new Error('nodes: several need a redis-server on the PATH');
    const database = await services.createDatabase();
    const found = { databaseUrl: database.url, ...(redis ? { redisUrl: redis.url } : {}) };
    const app = new TestApp(makeSettings({ ...testSettings, ...found, ...settings }), database, redis);
    try {
      for (let i = 0; i < nodes; i++) await app.addNode(options);
    } catch (error) {
      await app.stop();
      throw error;
    }
    return app;
  }

  /** `http://127.0.0.1:…` of the first node. */
  get url(): string {
    return this.urls[0]!;
  }

  /**
   * A token as an identity provider would mint it, by the time of {@link clock}; `scopes:
   * ['admin']` may revoke.
   */
  token(userId: string, options: DevelopmentTokenOptions = {}): Promise<string> {
    return mintDevelopmentToken(this.settings, userId, { nowMs: this.clock.now(), ...options });
  }

  /** Stops the nodes in good order, drops the database, ends Redis. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await this.redis?.stop();
    await this.database.stop();
  }

  private async addNode({ create, extensions = {} }: TestAppOptions): Promise<void> {
    const node = create
      ? await create(this.settings, this.clock)
      : await createServer(this.settings, { clock: this.clock, ...extensions });
    this.nodes.push(node);
    await node.listen(0, '127.0.0.1');
    this.urls.push(await node.getUrl());
  }
}

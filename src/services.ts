import { withOwnServices, type Settings } from './config/index.js';
import { startEmbeddedPostgres, startEmbeddedRedis } from './embedded/index.js';

interface Stoppable {
  stop(): Promise<void>;
}

// Further connections of a process: migrations, and an operator's session.
const connectionsBesidePool = 3;
const defaultMaxConnections = 100;

/**
 * Services that this program starts because no setting names them: a real Postgres, and a private
 * Redis.
 */
export class OwnServices {
  private readonly running: Stoppable[] = [];

  /**
   * @param processes that will share them
   * @returns the settings with the URLs; without `redisUrl` where there is no Redis program on the
   *   PATH
   */
  async start(settings: Settings, processes = 1): Promise<Settings> {
    const found: { databaseUrl?: string; redisUrl?: string } = {};
    if (settings.databaseUrl === undefined) found.databaseUrl = await this.postgres(settings, processes);
    if (settings.redisUrl === undefined) {
      const redis = await startEmbeddedRedis({ dataDir: settings.dataDir });
      if (redis) this.running.push(redis);
      if (redis) found.redisUrl = redis.url;
    }
    return withOwnServices(settings, found);
  }

  /** Newest first; after the app has drained. */
  async stop(): Promise<void> {
    for (const service of this.running.splice(0).reverse()) await service.stop().catch(() => undefined);
  }

  private async postgres({ dataDir, databasePoolSize }: Settings, processes: number): Promise<string> {
    const wanted = processes * (databasePoolSize + connectionsBesidePool);
    const settings = { max_connections: String(Math.max(defaultMaxConnections, wanted)) };
    const postgres = await startEmbeddedPostgres({ dataDir, settings });
    this.running.push(postgres);
    return postgres.url;
  }
}

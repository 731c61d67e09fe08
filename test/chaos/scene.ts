import { join, resolve } from 'node:path';
import { freePort } from '../../src/embedded/index.js';
import { LossyProxy } from '../support/lossy-proxy.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Balancer } from './balancer.js';
import type { History } from './history.js';
import { NodeService } from './node.service.js';
import { PostgresService } from './postgres.service.js';
import { RedisService } from './redis.service.js';

const nodeCount = 3;
const networkCount = 3;

/** Three nodes, their services, and every way between them through something that can be cut. */
export class Scene {
  private constructor(
    readonly postgres: PostgresService,
    readonly redis: RedisService,
    readonly nodes: NodeService[],
    /** Each node's own ways to the services. */
    readonly redisWays: TcpProxy[],
    readonly postgresWays: TcpProxy[],
    private readonly balancer: Balancer,
    /** The ways of the clients to the balancer; each device is in one of these networks. */
    readonly networks: LossyProxy[],
  ) {}

  /**
   * @param dir for data and logs; @param dist the compiled product; @param settings of the nodes
   */
  static async start(
    dir: string,
    dist: string,
    history: History,
    settings: Record<string, string> = {},
  ): Promise<Scene> {
    const [postgres, redis] = await Promise.all([
      PostgresService.start(join(dir, 'data')),
      RedisService.start(join(dir, 'redis')),
    ]);
    const redisWays = await times(nodeCount, () => TcpProxy.start(redis.url));
    const postgresWays = await times(nodeCount, () => TcpProxy.start(postgres.url));
    const nodes = await times(nodeCount, async (index) => {
      const plan = {
        index,
        port: await freePort(),
        program: resolve(dist, 'main.js'),
        databaseUrl: postgresWays[index]!.url,
        redisUrl: redisWays[index]!.url,
        logFile: join(dir, `node-${index}.log`),
        settings,
      };
      return new NodeService(plan, history);
    });
    await Promise.all(nodes.map((node) => node.start()));
    const balancer = await Balancer.start(nodes);
    const networks = await times(networkCount, () => LossyProxy.to(balancer.port));
    return new Scene(postgres, redis, nodes, redisWays, postgresWays, balancer, networks);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all(this.networks.map((network) => network.stop()));
    await this.balancer.stop();
    await Promise.all([...this.redisWays, ...this.postgresWays].map((way) => way.close()));
    await this.redis.kill();
    await this.postgres.stop();
  }
}

async function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  // One after another: two free ports sought at once could be the same.
  for (let i = 0; i < count; i++) made.push(await make(i));
  return made;
}

import { newRandomId } from '../common/index.js';
import { IoredisCommands } from './ioredis.redis-commands.js';
import { RedisClients } from './redis-client.js';
import { RedisLink } from './redis-link.js';
import { redisNamespace, type RedisNamespaceParts } from './redis-namespace.js';
import { redisTarget } from './redis-target.js';
import { RedisNodeBus } from './redis.node-bus.js';

type RedisPlace = Omit<RedisNamespaceParts, 'database'>;

const onlyOne: RedisPlace = { prefix: 'parley', deployment: '' };

/**
 * Everything one process has open to Redis; null stands for the memory engine. A DI token inside
 * this folder.
 */
export class RedisConnection {
  readonly clients: RedisClients;
  readonly commands: IoredisCommands;
  readonly bus: RedisNodeBus;
  /** The prefix of every key and channel of this deployment. */
  readonly namespace: string;
  private readonly link: RedisLink;

  private constructor(redisUrl: string, timeoutMs: number, place: RedisPlace) {
    const nodeId = newRandomId();
    this.clients = new RedisClients(redisTarget(redisUrl), timeoutMs);
    this.namespace = redisNamespace({ ...place, database: this.clients.database });
    this.link = new RedisLink(this.clients, nodeId, this.namespace);
    this.commands = new IoredisCommands(this.link);
    this.bus = new RedisNodeBus(this.clients, this.commands, { nodeId, namespace: this.namespace });
  }

  /**
   * Connects, and checks that a message crosses the bus. A Redis that is away delays this by about
   * `timeoutMs` and is waited for in the background.
   *
   * @throws SettingsError when the URL is wrong
   */
  static async open(redisUrl: string, timeoutMs: number, place: RedisPlace = onlyOne): Promise<RedisConnection> {
    const connection = new RedisConnection(redisUrl, timeoutMs, place);
    const opened = connection.bus.start(timeoutMs);
    await connection.link.whenUp(timeoutMs);
    await opened;
    return connection;
  }

  /** Resolves within about half a second, whatever Redis does. */
  async close(): Promise<void> {
    this.bus.close();
    this.link.close();
    await this.clients.close();
  }
}

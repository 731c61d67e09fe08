import { Redis } from 'ioredis';
import type { LuaScript } from './lua-script.js';
import { RedisCommands, type RedisArgument, type RedisCall, type RedisReturn } from './redis-commands.js';
import { isRedisAway, isRedisDenial, redisUnavailable, translateRedisError } from './redis-errors.js';
import { RedisKey } from './redis-keys.js';
import type { RedisLink } from './redis-link.js';

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

type Words = [command: string, ...args: (string | number)[]];

/** @param by `evalsha` names the script by its digest, `eval` carries it */
function wordsOf(call: RedisCall, by: 'evalsha' | 'eval', namespace: string): Words {
  const plain = (argument: RedisArgument) => (argument instanceof RedisKey ? argument.within(namespace) : argument);
  if (!('script' in call)) return [call[0], ...call.slice(1).map(plain)];
  const { script, keys, args = [] } = call;
  return [by, by === 'eval' ? script.source : script.sha, keys.length, ...keys.map(plain), ...args.map(plain)];
}

/**
 * The one implementation of {@link RedisCommands}: ioredis behind the circuit of a {@link
 * RedisLink}.
 */
export class IoredisCommands extends RedisCommands {
  constructor(private readonly link: RedisLink) {
    super();
  }

  override get isHealthy(): boolean {
    return this.link.isUp;
  }

  override get fault(): string | null {
    return this.link.fault;
  }

  override onBack(listener: (back: RedisReturn) => void): void {
    this.link.onBack(listener);
  }

  override run(script: LuaScript, keys: readonly RedisKey[], args: readonly RedisArgument[] = []): Promise<unknown> {
    return this.guarded(() => this.send({ script, keys, args }));
  }

  override call(command: string, ...args: RedisArgument[]): Promise<unknown> {
    return this.guarded(() => this.send([command, ...args]));
  }

  override async runMany(calls: readonly RedisCall[]): Promise<unknown[]> {
    if (calls.length === 0) return [];
    return this.guarded(() => this.sendMany(calls));
  }

  private wordsOf(call: RedisCall, by: 'evalsha' | 'eval'): Words {
    return wordsOf(call, by, this.link.namespace);
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    if (!this.link.isUp) throw redisUnavailable();
    try {
      const result = await work();
      this.link.succeeded();
      return result;
    } catch (error) {
      if (isRedisAway(error)) this.link.failed(error);
      if (isRedisDenial(error)) this.link.denied(error);
      throw translateRedisError(error);
    }
  }

  private async send(call: RedisCall): Promise<unknown> {
    try {
      return await this.link.client.call(...this.wordsOf(call, 'evalsha'));
    } catch (error) {
      return this.sendSource(call, error);
    }
  }

  private sendSource(call: RedisCall, error: unknown): Promise<unknown> {
    if (!isUnknownScript(error)) throw error;
    return this.link.client.call(...this.wordsOf(call, 'eval'));
  }

  private sendMany(calls: readonly RedisCall[]): Promise<unknown[]> {
    const { client } = this.link;
    if (client instanceof Redis) return this.sendPipeline(client, calls);
    // On a Cluster a pipeline must stay on one node; commands sent without waiting share the round
    // trip just as well.
    return Promise.all(calls.map((call) => this.send(call)));
  }

  private async sendPipeline(client: Redis, calls: readonly RedisCall[]): Promise<unknown[]> {
    const pipeline = client.pipeline();
    for (const call of calls) pipeline.call(...this.wordsOf(call, 'evalsha'));
    const replies = (await pipeline.exec()) ?? [];
    return Promise.all(
      replies.map(([error, reply], index) => (error === null ? reply : this.sendSource(calls[index]!, error))),
    );
  }
}

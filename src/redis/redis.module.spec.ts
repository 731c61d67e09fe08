import { Global, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { sharedRedisUrl } from '../../test/setup/services.js';
import { DeploymentIdentity } from '../common/index.js';
import { ConfigModule, type SettingsValues } from '../config/index.js';
import {
  ConnectionLeaseStore,
  Engine,
  NodeBus,
  RedisCommands,
  RedisHealth,
  RedisModule,
  SocketAdapterFactory,
  storeProvider,
} from './index.js';

abstract class NoteStore {
  abstract readonly engine: string;
  isReady = false;
}

@Injectable()
class RedisNoteStore extends NoteStore implements OnModuleInit {
  override readonly engine = 'redis';
  constructor(readonly redis: RedisCommands) {
    super();
    if (!(redis instanceof RedisCommands)) throw new Error('built without Redis');
  }
  onModuleInit(): void {
    this.isReady = true;
  }
}

@Injectable()
class MemoryNoteStore extends NoteStore implements OnModuleInit {
  override readonly engine = 'memory';
  onModuleInit(): void {
    this.isReady = true;
  }
}

@Global()
@Module({
  providers: [{ provide: DeploymentIdentity, useValue: { read: async () => 'one' } }],
  exports: [DeploymentIdentity],
})
class IdentityModule {}

@Module({ providers: [storeProvider(NoteStore, { redis: RedisNoteStore, memory: MemoryNoteStore })] })
class NotesModule {}

let app: TestingModule;

async function start(settings: Partial<SettingsValues>): Promise<TestingModule> {
  const imports = [
    ConfigModule.forRoot({ useFactory: () => settings }),
    IdentityModule,
    RedisModule.forRoot(),
    NotesModule,
  ];
  app = await Test.createTestingModule({ imports }).compile();
  return app.init();
}

describe('RedisModule', () => {
  afterEach(() => app.close());

  it('keeps state in memory without REDIS_URL and builds no Redis store', async () => {
    await start({});
    expect(app.get(Engine).kind).toBe('memory');
    expect(app.get(NodeBus)).toMatchObject({ isShared: false, isHealthy: true });
    expect(app.get(RedisHealth).check()).toMatchObject({ status: 'up', engine: 'memory' });
    expect(app.get(SocketAdapterFactory).create()).toBeNull();
    expect(app.get(NoteStore, { strict: false })).toMatchObject({ engine: 'memory', isReady: true });
    expect(await app.get(ConnectionLeaseStore).acquire('u', 'c', { max: 1, ttlMs: 1_000 })).toBe(true);
  });

  it('uses Redis with REDIS_URL, connected before any store is built', async () => {
    await start({ redisUrl: await sharedRedisUrl() });
    expect(app.get(Engine).kind).toBe('redis');
    expect(app.get(NodeBus)).toMatchObject({ isShared: true, isHealthy: true });
    expect(app.get(RedisHealth).check()).toEqual({
      status: 'up',
      engine: 'redis',
      detail: 'commands and the bus work',
    });
    await app.get(RedisHealth).ping();
    expect(app.get(NoteStore, { strict: false })).toMatchObject({ engine: 'redis', isReady: true });
    expect(await app.get(ConnectionLeaseStore).acquire('module', 'c', { max: 1, ttlMs: 1_000 })).toBe(true);
  });

  it('refuses to start with a URL no Redis can answer to', async () => {
    const broken = start({ redisUrl: 'redis://host/not-a-number' });
    await expect(broken).rejects.toThrow('REDIS_URL: the path must be a database number');
    await start({});
  });
});

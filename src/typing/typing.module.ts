import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { TypingSource } from '../conversations/index.js';
import { storeProvider } from '../redis/index.js';
import { BlocksTypingPolicy } from './blocks.typing-policy.js';
import { LocalTypists } from './local-typists.js';
import { MemoryTypingStore } from './memory.typing.store.js';
import { RedisTypingStore } from './redis.typing.store.js';
import { TypingAnnouncer } from './typing.announcer.js';
import { TypingDelivery } from './typing.delivery.js';
import { TypingEnder } from './typing.ender.js';
import { TypingGateway } from './typing.gateway.js';
import { TypingKeeper } from './typing.keeper.js';
import { TypingPolicy } from './typing.policy.js';
import { TypingService } from './typing.service.js';
import { TypingStore } from './typing.store.js';

export interface TypingModuleOptions {
  /** Replaces blocks; made by Nest, so it may inject what is global. */
  typingPolicy?: Type<TypingPolicy>;
}

/**
 * Typing. Imported once, at the root; global, since conversations use its `TypingSource`.
 */
@Global()
@Module({})
export class TypingModule {
  static forRoot({ typingPolicy = BlocksTypingPolicy }: TypingModuleOptions = {}): DynamicModule {
    return {
      module: TypingModule,
      providers: [
        { provide: TypingPolicy, useClass: typingPolicy },
        storeProvider(TypingStore, { redis: RedisTypingStore, memory: MemoryTypingStore }),
        { provide: TypingSource, useExisting: TypingService },
        LocalTypists,
        TypingAnnouncer,
        TypingDelivery,
        TypingEnder,
        TypingGateway,
        TypingKeeper,
        TypingService,
      ],
      exports: [TypingSource],
    };
  }
}

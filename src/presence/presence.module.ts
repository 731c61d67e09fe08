import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { VisibleUsers } from '../realtime/index.js';
import { storeProvider } from '../redis/index.js';
import { ContactsPresencePolicy } from './contacts.presence-policy.js';
import { LastSeenWriter } from './last-seen.writer.js';
import { MemoryPresenceStore } from './memory.presence.store.js';
import { PresenceAnnouncer } from './presence.announcer.js';
import { PresenceController } from './presence.controller.js';
import { PresenceDelivery } from './presence.delivery.js';
import { PresenceGateway } from './presence.gateway.js';
import { PresenceKeeper } from './presence.keeper.js';
import { PresencePolicy } from './presence.policy.js';
import { PresenceReader } from './presence.reader.js';
import { PresenceService } from './presence.service.js';
import { PresenceStore } from './presence.store.js';
import { PresenceSubscriptions } from './presence.subscriptions.js';
import { PresenceSweeper } from './presence.sweeper.js';
import { PresenceTracker } from './presence.tracker.js';
import { PresentUsers } from './present-users.js';
import { RedisPresenceStore } from './redis.presence.store.js';
import { ToldPresences } from './told-presences.js';

export interface PresenceModuleOptions {
  /** Replaces contacts, blocks and privacy; made by Nest, so it may inject what is global. */
  presencePolicy?: Type<PresencePolicy>;
}

/**
 * Presence. Import it once, at the root. It is global, because delivery needs its `VisibleUsers`.
 */
@Global()
@Module({})
export class PresenceModule {
  static forRoot({ presencePolicy = ContactsPresencePolicy }: PresenceModuleOptions = {}): DynamicModule {
    return {
      module: PresenceModule,
      controllers: [PresenceController],
      providers: [
        { provide: PresencePolicy, useClass: presencePolicy },
        { provide: VisibleUsers, useExisting: PresentUsers },
        storeProvider(PresenceStore, { redis: RedisPresenceStore, memory: MemoryPresenceStore }),
        LastSeenWriter,
        PresenceAnnouncer,
        PresenceDelivery,
        PresenceGateway,
        PresenceKeeper,
        PresenceReader,
        PresenceService,
        PresenceSubscriptions,
        PresenceSweeper,
        PresenceTracker,
        PresentUsers,
        ToldPresences,
      ],
      exports: [PresencePolicy, PresenceService, VisibleUsers],
    };
  }
}

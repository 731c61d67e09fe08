import { Module, type DynamicModule, type ModuleMetadata, type Type } from '@nestjs/common';
import { AuthModule, type Authenticator } from './auth/index.js';
import type { Clock } from './common/index.js';
import { ConfigModule, type SettingsSource, type SettingsValues } from './config/index.js';
import { ConversationsModule, type AccessPolicy } from './conversations/index.js';
import { DatabaseModule } from './database/index.js';
import { DeliveryModule, type DeliveryOptions } from './delivery/index.js';
import { MessagingModule, type MessagingOptions } from './messaging/index.js';
import { MetricsModule } from './metrics/index.js';
import { OpsModule } from './ops/index.js';
import { PresenceModule, type PresenceModuleOptions } from './presence/index.js';
import { RealtimeModule } from './realtime/index.js';
import { RedisModule } from './redis/index.js';
import { TypingModule, type TypingModuleOptions } from './typing/index.js';
import { UsersModule } from './users/index.js';

/**
 * Parts that an embedding application may replace or add. Nest makes the classes, and they may
 * inject global providers.
 */
export interface ParleyExtensions
  extends MessagingOptions, PresenceModuleOptions, TypingModuleOptions, DeliveryOptions {
  /** Turns tokens into principals; default: JWT. */
  authenticator?: Type<Authenticator>;
  /** Decides what a participant may do; default: by role. */
  accessPolicy?: Type<AccessPolicy>;
  /** Replaces the system's clock; for tests (`TestClock` of `parley/testing`). */
  clock?: Clock;
  /** Further modules, with gateways and controllers of their own. */
  imports?: ModuleMetadata['imports'];
}

export interface ParleyOptions extends ParleyExtensions {
  /** Settings by the names of {@link SettingsValues}; the others have their defaults. */
  settings?: Partial<SettingsValues>;
}

export interface ParleyAsyncOptions extends ParleyExtensions {
  /** Makes the settings, for instance from the application's own configuration. */
  settings: SettingsSource;
}

/**
 * The whole product as one Nest module: imported by the reference server, and by applications that
 * embed it.
 *
 * The application also calls `app.useWebSocketAdapter(new ParleyIoAdapter(app))` before it listens.
 *
 * @example
 * ```ts
 * const settings = { databaseUrl, redisUrl, jwtSecret };
 *
 * @Module({ imports: [ParleyModule.forRoot({ settings, interceptors: [Moderation] })] })
 * export class AppModule {}
 * ```
 * @since 0.1.0
 */
@Module({})
export class ParleyModule {
  static forRoot({ settings = {}, ...extensions }: ParleyOptions = {}): DynamicModule {
    return ParleyModule.assemble({ useFactory: () => settings }, extensions);
  }

  static forRootAsync({ settings, ...extensions }: ParleyAsyncOptions): DynamicModule {
    return ParleyModule.assemble(settings, extensions);
  }

  private static assemble(settings: SettingsSource, extensions: ParleyExtensions): DynamicModule {
    const {
      authenticator,
      accessPolicy,
      presencePolicy,
      typingPolicy,
      offlineNotifier,
      messageTypes = [],
      interceptors = [],
      clock,
      imports = [],
    } = extensions;
    return {
      module: ParleyModule,
      imports: [
        ConfigModule.forRoot(settings, clock),
        MetricsModule,
        DatabaseModule.forRoot(),
        RedisModule.forRoot(),
        AuthModule.forRoot(authenticator ? { authenticator } : {}),
        RealtimeModule,
        UsersModule,
        ConversationsModule.forRoot(accessPolicy ? { accessPolicy } : {}),
        MessagingModule.forRoot({ messageTypes, interceptors }),
        PresenceModule.forRoot(presencePolicy ? { presencePolicy } : {}),
        TypingModule.forRoot(typingPolicy ? { typingPolicy } : {}),
        DeliveryModule.forRoot(offlineNotifier ? { offlineNotifier } : {}),
        OpsModule,
        ...imports,
      ],
    };
  }
}

import { Global, Module, type DynamicModule, type InjectionToken, type ModuleMetadata } from '@nestjs/common';
import { Clock, PayloadLimits, SystemClock } from '../common/index.js';
import { makeSettings, Settings } from './settings.js';
import type { SettingsValues } from './settings.table.js';

/** Where the settings come from: given, or made by a factory of the embedding application. */
export interface SettingsSource {
  imports?: ModuleMetadata['imports'];
  inject?: InjectionToken[];
  useFactory: (...dependencies: never[]) => Partial<SettingsValues> | Promise<Partial<SettingsValues>>;
}

/** Offers {@link Settings} and {@link Clock} everywhere. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(
    { imports = [], inject = [], useFactory }: SettingsSource,
    clock: Clock = new SystemClock(),
  ): DynamicModule {
    return {
      module: ConfigModule,
      imports,
      providers: [
        {
          provide: Settings,
          inject,
          useFactory: async (...dependencies: never[]) => makeSettings(await useFactory(...dependencies)),
        },
        { provide: PayloadLimits, useExisting: Settings },
        { provide: Clock, useValue: clock },
      ],
      exports: [Settings, PayloadLimits, Clock],
    };
  }
}

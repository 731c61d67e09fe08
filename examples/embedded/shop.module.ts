import { Module, type DynamicModule } from '@nestjs/common';
import { ParleyModule, type SettingsValues } from '../../src/index.js';
import { CardNumberInterceptor } from './card-number.interceptor.js';
import { PollMessageType } from './poll.message-type.js';
import { ShopController } from './shop.controller.js';
import { VoteGateway } from './vote.gateway.js';
import { VoteService } from './vote.service.js';

/** Acme's application: a shop, with Parley inside. */
@Module({})
export class ShopModule {
  static with(settings: Partial<SettingsValues>): DynamicModule {
    const parley = ParleyModule.forRootAsync({
      // Wherever the application keeps its configuration: `inject` it here.
      settings: { useFactory: () => settings },
      interceptors: [CardNumberInterceptor],
      messageTypes: [PollMessageType],
    });
    return {
      module: ShopModule,
      imports: [parley],
      controllers: [ShopController],
      providers: [VoteGateway, VoteService],
    };
  }
}

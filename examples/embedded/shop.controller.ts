import { Controller, Get } from '@nestjs/common';
import { Actor, CurrentActor, Public } from '../../src/index.js';

/** The host's own routes. Parley's guard closes them all, unless they say `@Public()`. */
@Controller('shop')
export class ShopController {
  @Public()
  @Get('opening-hours')
  openingHours(): { open: string; close: string } {
    return { open: '09:00', close: '18:00' };
  }

  @Get('basket')
  basket(@CurrentActor() actor: Actor): { owner: string; items: string[] } {
    return { owner: actor.userId, items: [] };
  }
}

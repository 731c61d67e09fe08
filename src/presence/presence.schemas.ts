import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Presence, PresenceStatus } from '../common/index.js';

/** A presence, as the OpenAPI document shows it. */
@ApiSchema({ name: 'Presence' })
export class PresenceSchema implements Presence {
  @ApiProperty()
  userId!: string;

  @ApiProperty({ enum: ['online', 'away', 'offline', 'unknown'], description: '`unknown`: Redis is away' })
  status!: PresenceStatus;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the user was last online; now, if he is; null if never or not for the caller to see',
  })
  lastSeenAt!: string | null;
}

@ApiSchema({ name: 'PresenceList' })
export class PresenceListSchema {
  @ApiProperty({ type: [PresenceSchema], description: 'In the order asked, repeats once' })
  items!: PresenceSchema[];
}

import { ApiProperty } from '@nestjs/swagger';
import type { Readiness } from './health-checks.js';

export class LivenessDto {
  @ApiProperty({ enum: ['live'] })
  status!: 'live';
}

export class ReadinessDto implements Readiness {
  @ApiProperty({ enum: ['ready', 'unavailable'] })
  status!: Readiness['status'];

  @ApiProperty({ description: 'Whether this process is on its way out' })
  draining!: boolean;

  @ApiProperty({
    description: 'Each dependency by name',
    type: 'object',
    additionalProperties: { type: 'object', properties: { status: { enum: ['up', 'down'] } }, required: ['status'] },
    example: { postgres: { status: 'up' }, redis: { status: 'up' } },
  })
  dependencies!: Readiness['dependencies'];
}

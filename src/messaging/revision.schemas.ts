import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Page } from '../common/index.js';
import type { Revision } from './revision.js';

@ApiSchema({ name: 'Revision' })
export class RevisionSchema implements Revision {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The message’s last rev with this content' })
  rev!: number;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { text: 'Helo!' } })
  content!: Record<string, unknown>;

  @ApiProperty({ format: 'date-time', description: 'When the message got this content' })
  createdAt!: string;
}

@ApiSchema({ name: 'RevisionPage' })
export class RevisionPageSchema implements Page<Revision> {
  @ApiProperty({ type: () => [RevisionSchema], description: 'Newest first' })
  items!: Revision[];

  @ApiProperty({ type: String, nullable: true, description: 'null at the end' })
  nextCursor!: string | null;
}

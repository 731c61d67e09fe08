import { ApiProperty } from '@nestjs/swagger';
import { MessageSchema } from '../conversations/index.js';

export class MessagePageSchema {
  @ApiProperty({ type: [MessageSchema], description: 'Ascending by seq' })
  items!: MessageSchema[];

  @ApiProperty({ description: 'Whether there is more in the direction that was read' })
  hasMore!: boolean;
}

import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Message, Page } from '../common/index.js';
import { MessageSchema } from '../conversations/index.js';

@ApiSchema({ name: 'SearchPage' })
export class SearchPageSchema implements Page<Message> {
  @ApiProperty({ type: () => [MessageSchema], description: 'Newest first' })
  items!: MessageSchema[];

  @ApiProperty({ type: String, nullable: true, description: 'null at the end' })
  nextCursor!: string | null;
}

import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { MessageStatus, StatusMark } from './message-status.js';
import type { ReadCursor } from './receipt.service.js';

@ApiSchema({ name: 'ReadCursor' })
export class ReadCursorSchema implements ReadCursor {
  @ApiProperty({ format: 'uuid' })
  conversationId!: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'The present cursor: never below an earlier answer’s' })
  readSeq!: number;
}

@ApiSchema({ name: 'StatusMark' })
export class StatusMarkSchema implements StatusMark {
  @ApiProperty()
  userId!: string;

  @ApiProperty({ format: 'date-time' })
  at!: string;
}

@ApiSchema({ name: 'MessageStatus' })
export class MessageStatusSchema implements MessageStatus {
  @ApiProperty({ format: 'uuid' })
  messageId!: string;

  @ApiProperty({
    enum: ['sent', 'delivered', 'read'],
    description: 'The least over the other participants without a block',
  })
  status!: MessageStatus['status'];

  @ApiProperty({
    type: () => [StatusMarkSchema],
    description: 'In order of time; without the sender, and without users with a block',
  })
  deliveredTo!: StatusMark[];

  @ApiProperty({
    type: () => [StatusMarkSchema],
    description: 'In order of time; without those who hide it, and without users with a block',
  })
  readBy!: StatusMark[];

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Of the conversation, now' })
  participantCount!: number;
}

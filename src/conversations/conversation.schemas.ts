import { ApiExtraModels, ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Conversation, ConversationKind, Message, Page, Participant, Reaction, Role } from '../common/index.js';

/** The objects of the wire contract (section 3), as the OpenAPI document shows them. */
@ApiSchema({ name: 'Reaction' })
export class ReactionSchema implements Reaction {
  @ApiProperty({ type: 'integer', minimum: 1 })
  count!: number;

  @ApiProperty({ type: [String], maxItems: 50, description: 'The first 50 user ids' })
  userIds!: string[];
}

@ApiExtraModels(ReactionSchema)
@ApiSchema({ name: 'Message' })
export class MessageSchema implements Message {
  @ApiProperty({ format: 'uuid', description: 'UUIDv7' })
  id!: string;

  @ApiProperty({ format: 'uuid' })
  conversationId!: string;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: '1, 2, 3 … without gaps in its conversation; never changes',
  })
  seq!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'The conversation’s change counter at this message’s last change: send, edit, delete, reaction',
  })
  rev!: number;

  @ApiProperty()
  senderId!: string;

  @ApiProperty({ type: String, nullable: true })
  clientMessageId!: string | null;

  @ApiProperty({ example: 'text', description: 'A built-in or registered message type' })
  type!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    example: { text: 'Hello!' },
    description: 'Per type; null once deleted',
  })
  content!: Record<string, unknown> | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'A message of the same conversation' })
  replyTo!: string | null;

  @ApiProperty({ type: [String] })
  mentions!: string[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: '#/components/schemas/Reaction' },
    description: 'By emoji',
  })
  reactions!: Record<string, Reaction>;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  editedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  deletedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expiresAt!: string | null;
}

@ApiSchema({ name: 'Participant' })
export class ParticipantSchema implements Participant {
  @ApiProperty()
  userId!: string;

  @ApiProperty({ enum: ['owner', 'admin', 'member'] })
  role!: Role;

  @ApiProperty({ format: 'date-time' })
  joinedAt!: string;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Tells that a device was connected. 0 where there is a block between the two',
  })
  deliveredSeq!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: '0 where the participant hides it from the caller, or where there is a block between the two',
  })
  readSeq!: number;
}

@ApiSchema({ name: 'Conversation' })
export class ConversationSchema implements Conversation {
  @ApiProperty({ format: 'uuid', description: 'UUIDv7' })
  id!: string;

  @ApiProperty({ enum: ['direct', 'group'] })
  kind!: ConversationKind;

  @ApiProperty({ type: String, nullable: true })
  title!: string | null;

  @ApiProperty({ type: 'integer', minimum: 0 })
  lastSeq!: number;

  @ApiProperty({ type: 'integer', minimum: 0 })
  lastRev!: number;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', description: 'The last message, or the last change of title or participants' })
  updatedAt!: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Others’ messages above the caller’s read cursor' })
  unreadCount!: number;

  @ApiProperty({ type: () => MessageSchema, nullable: true, description: 'The newest one the caller may see' })
  lastMessage!: Message | null;

  @ApiProperty({ type: () => ParticipantSchema, nullable: true, description: 'The caller as a participant' })
  me!: Participant | null;

  @ApiProperty({
    type: () => [ParticipantSchema],
    maxItems: 50,
    description: 'The first 50 by role and time of joining; the caller is always among them',
  })
  participants!: Participant[];

  @ApiProperty({ type: 'integer', minimum: 0 })
  participantCount!: number;
}

@ApiSchema({ name: 'ConversationPage' })
export class ConversationPageSchema implements Page<Conversation> {
  @ApiProperty({ type: () => [ConversationSchema] })
  items!: Conversation[];

  @ApiProperty({ type: String, nullable: true, description: 'null at the end' })
  nextCursor!: string | null;
}

@ApiSchema({ name: 'ParticipantPage' })
export class ParticipantPageSchema implements Page<Participant> {
  @ApiProperty({ type: () => [ParticipantSchema] })
  items!: Participant[];

  @ApiProperty({ type: String, nullable: true, description: 'null at the end' })
  nextCursor!: string | null;
}

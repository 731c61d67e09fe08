import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A message, or its tombstone. Read and written by SQL; this class is here for the check that
 * schema and code agree.
 */
@Entity('messages')
@Index('messages_id', ['id'], { unique: true })
@Index('messages_rev', ['conversationId', 'rev'])
@Index('messages_client_message_id', ['senderId', 'clientMessageId', 'conversationId'], {
  unique: true,
  where: '(client_message_id IS NOT NULL)',
})
@Index('messages_expires_at', ['expiresAt'], { where: '((expires_at IS NOT NULL) AND (deleted_at IS NULL))' })
export class MessageEntity {
  @PrimaryColumn('uuid', { name: 'conversation_id' })
  conversationId!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('bigint')
  rev!: number;

  /** The rev it was sent with, once something has changed it; null before. */
  @Column('bigint', { name: 'sent_rev', nullable: true })
  sentRev!: number | null;

  /** The rev of the last edit. */
  @Column('bigint', { name: 'edited_rev', nullable: true })
  editedRev!: number | null;

  @Column('uuid')
  id!: string;

  @Column('text', { name: 'sender_id' })
  senderId!: string;

  @Column('text', { name: 'client_message_id', nullable: true })
  clientMessageId!: string | null;

  /** Hash of the request as first sent; null once deleted. */
  @Column('text', { nullable: true })
  fingerprint!: string | null;

  @Column('text')
  type!: string;

  @Column('json', { nullable: true })
  content!: Record<string, unknown> | null;

  @Column('uuid', { name: 'reply_to', nullable: true })
  replyTo!: string | null;

  @Column('text', { array: true, default: () => `'{}'` })
  mentions!: string[];

  @Column('json', { nullable: true })
  reactions!: Record<string, unknown> | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'edited_at', nullable: true })
  editedAt!: Date | null;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;

  @Column('text', { name: 'deleted_by', nullable: true })
  deletedBy!: string | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('bigint', { name: 'changed_xid', default: () => 'current_xid()' })
  changedXid!: number;
}

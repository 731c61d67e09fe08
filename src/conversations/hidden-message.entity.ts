import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A message one user has deleted for himself. Read and written by SQL; here for the check of the
 * schema.
 */
@Entity('hidden_messages')
@Index('hidden_messages_changed', ['userId', 'changedXid'])
@Index('hidden_messages_at', ['userId', 'hiddenAt', 'messageId'])
export class HiddenMessageEntity {
  @PrimaryColumn('text', { name: 'user_id' })
  userId!: string;

  @PrimaryColumn('uuid', { name: 'conversation_id' })
  conversationId!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('uuid', { name: 'message_id' })
  messageId!: string;

  @Column('timestamptz', { name: 'hidden_at', default: () => 'now()' })
  hiddenAt!: Date;

  @Column('bigint', { name: 'changed_xid', default: () => 'current_xid()' })
  changedXid!: number;
}

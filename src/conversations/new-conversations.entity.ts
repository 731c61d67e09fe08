import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * When a user created conversations within the last 24 hours. Read and written by SQL; this class is
 * here for the check of the schema.
 */
@Entity('new_conversations')
export class NewConversationsEntity {
  @PrimaryColumn('text', { name: 'user_id', primaryKeyConstraintName: 'new_conversations_key' })
  userId!: string;

  /** Ascending; at most `NEW_CONVERSATIONS_PER_DAY`. */
  @Column('timestamptz', { name: 'created_at', array: true })
  createdAt!: Date[];
}

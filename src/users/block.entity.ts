import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One user blocks another. Read and written by SQL; this class is here for the check of the schema.
 */
@Entity('blocks')
export class BlockEntity {
  @PrimaryColumn('text', { name: 'user_id' })
  userId!: string;

  @PrimaryColumn('text', { name: 'blocked_id' })
  blockedId!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

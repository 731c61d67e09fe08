import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import type { Role } from '../common/index.js';
import { ConversationEntity } from './conversation.entity.js';

/**
 * A participant, also one who has left. Read and written by SQL; this class is here for the check
 * of the schema.
 */
@Entity('participants')
@Index('participants_user', ['userId', 'conversationId'])
export class ParticipantEntity {
  @PrimaryColumn('uuid', { name: 'conversation_id' })
  conversationId!: string;

  @ManyToOne(() => ConversationEntity)
  @JoinColumn({ name: 'conversation_id', foreignKeyConstraintName: 'participants_conversation_id_fkey' })
  conversation?: Relation<ConversationEntity>;

  @PrimaryColumn('text', { name: 'user_id' })
  userId!: string;

  @Column('text')
  role!: Role;

  @Column('timestamptz', { name: 'joined_at', default: () => 'now()' })
  joinedAt!: Date;

  /** The conversation's last seq on joining: what is not above it stays unseen. */
  @Column('bigint', { name: 'joined_seq', default: 0 })
  joinedSeq!: number;

  /** The conversation's last rev on joining. */
  @Column('bigint', { name: 'joined_rev', default: 0 })
  joinedRev!: number;

  @Column('timestamptz', { name: 'left_at', nullable: true })
  leftAt!: Date | null;

  @Column('bigint', { name: 'delivered_seq', default: 0 })
  deliveredSeq!: number;

  /** Changes up to this rev have reached a device. */
  @Column('bigint', { name: 'delivered_rev', default: 0 })
  deliveredRev!: number;

  @Column('bigint', { name: 'read_seq', default: 0 })
  readSeq!: number;

  @Column('timestamptz', { name: 'delivered_at', nullable: true })
  deliveredAt!: Date | null;

  @Column('timestamptz', { name: 'read_at', nullable: true })
  readAt!: Date | null;

  @Column('bigint', { name: 'changed_xid', default: () => 'current_xid()' })
  changedXid!: number;

  /**
   * The conversation's seq when the user last opened it, created it or sent; null: not since they
   * joined (ADR-0027).
   */
  @Column('bigint', { name: 'accepted_seq', nullable: true })
  acceptedSeq!: number | null;

  /** The conversation's last seq when the user came back; -1: they never left. */
  @Column('bigint', { name: 'rejoined_seq', default: -1 })
  rejoinedSeq!: number;

  /** The transaction that last changed whose receipts the user may see there. */
  @Column('bigint', { name: 'sight_xid', nullable: true })
  sightXid!: number | null;
}

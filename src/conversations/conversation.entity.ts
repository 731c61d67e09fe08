import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ConversationKind } from '../common/index.js';

/**
 * A conversation. Read and written by SQL; this class is here for the check that schema and code
 * agree.
 */
@Entity('conversations')
@Index('conversations_to_empty', ['deletedAt'], { where: '((deleted_at IS NOT NULL) AND (emptied_at IS NULL))' })
@Index('conversations_direct_key', ['directKey'], { unique: true, where: '(direct_key IS NOT NULL)' })
export class ConversationEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  kind!: ConversationKind;

  @Column('text', { nullable: true })
  title!: string | null;

  /** Names the pair of a direct conversation; null for a group. */
  @Column('text', { name: 'direct_key', nullable: true })
  directKey!: string | null;

  @Column('bigint', { name: 'last_seq', default: 0 })
  lastSeq!: number;

  @Column('bigint', { name: 'last_rev', default: 0 })
  lastRev!: number;

  /** Grows with every change of participants or roles. */
  @Column('bigint', { name: 'participants_version', default: 1 })
  participantsVersion!: number;

  @Column('integer', { name: 'participant_count', default: 0 })
  participantCount!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** The last message, or the last change of title, participants or roles. */
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  /** Its owner deleted it: nobody takes part any more. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;

  /** What it held has been removed. */
  @Column('timestamptz', { name: 'emptied_at', nullable: true })
  emptiedAt!: Date | null;

  @Column('bigint', { name: 'changed_xid', default: () => 'current_xid()' })
  changedXid!: number;

  /** What all participants have at least in `user_activity`; kept by triggers (ADR-0006). */
  @Column('bigint', { name: 'marked_until', default: 0 })
  markedUntil!: number;

  /**
   * The highest `rejoined_seq` of a participant: who has sent since then has accepted everybody
   * (ADR-0027).
   */
  @Column('bigint', { name: 'rejoined_seq', default: -1 })
  rejoinedSeq!: number;
}

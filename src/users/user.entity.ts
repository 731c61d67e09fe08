import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Audience } from './user.js';

/**
 * A user as far as this system knows him. Read and written by SQL; this class is here for the check
 * of the schema.
 */
@Entity('users')
@Index('users_revoked', ['revokedXid', 'id'], { where: '(revoked_before IS NOT NULL)' })
export class UserEntity {
  /** The `sub` of his tokens. */
  @PrimaryColumn('text')
  id!: string;

  @Column('text', { name: 'display_name', nullable: true })
  displayName!: string | null;

  @Column('text', { name: 'avatar_url', nullable: true })
  avatarUrl!: string | null;

  @Column('text', { name: 'privacy_last_seen', default: 'contacts' })
  privacyLastSeen!: Audience;

  @Column('text', { name: 'privacy_online', default: 'contacts' })
  privacyOnline!: Audience;

  /** Who may add the user to a group. */
  @Column('text', { name: 'privacy_groups', default: 'everyone' })
  privacyGroups!: Audience;

  @Column('boolean', { name: 'read_receipts', default: true })
  readReceipts!: boolean;

  /** Tokens issued up to this are worth nothing (auth). */
  @Column('timestamptz', { name: 'revoked_before', nullable: true })
  revokedBefore!: Date | null;

  /** The transaction that last changed `revoked_before` (auth). */
  @Column('bigint', { name: 'revoked_xid', nullable: true })
  revokedXid!: number | null;

  @Column('timestamptz', { name: 'last_seen_at', nullable: true })
  lastSeenAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

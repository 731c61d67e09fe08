import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A contact a user has added. Read and written by SQL; this class is here for the check of the
 * schema.
 */
@Entity('contacts')
@Index('contacts_contact', ['contactId', 'userId'])
export class ContactEntity {
  @PrimaryColumn('text', { name: 'user_id' })
  userId!: string;

  @PrimaryColumn('text', { name: 'contact_id' })
  contactId!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

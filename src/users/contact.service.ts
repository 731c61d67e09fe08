import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { ContactRepository } from './contact.repository.js';
import type { UserListPageDto } from './user-list.dto.js';
import type { ListedUser } from './user-list.js';
import { UserListPager } from './user-list.pager.js';
import { VisibilityChanges } from './visibility.changes.js';

/** A user's contacts: those he added, and the other sides of his direct conversations. */
@Injectable()
export class ContactService {
  constructor(
    private readonly contacts: ContactRepository,
    private readonly changes: VisibilityChanges,
    private readonly pager: UserListPager,
    private readonly settings: Settings,
  ) {}

  /**
   * Both kinds, each user once, with the earlier of the two times.
   * @throws ChatError VALIDATION_FAILED
   */
  list(actor: Actor, query: UserListPageDto): Promise<Page<ListedUser>> {
    return this.pager.page(this.contacts, actor.userId, query);
  }

  /**
   * Adds a contact, who need not have been seen yet; repeating it is no error. He may see what the
   * actor shows to contacts from now on.
   *
   * @throws ChatError VALIDATION_FAILED (oneself) | CONFLICT (`MAX_CONTACTS`)
   */
  async add({ userId }: Actor, contactId: string): Promise<void> {
    if (contactId === userId) throw invalid('userId', 'must be another user');
    await this.changes.commit(userId, async ({ tx, announce }) => {
      const addition = await this.contacts.add(tx, userId, contactId, this.settings.maxContacts);
      if (addition === 'full') throw tooManyContacts(this.settings.maxContacts);
      if (addition === 'added') announce({ cause: 'contact-added', userId, otherId: contactId });
    });
  }

  /**
   * Takes a contact off again. The other side of a direct conversation stays one by that.
   * @throws ChatError NOT_FOUND (not added)
   */
  async remove({ userId }: Actor, contactId: string): Promise<void> {
    await this.changes.commit(userId, async ({ tx, announce }) => {
      const wasThere = await this.contacts.remove(tx, userId, contactId);
      if (!wasThere) throw new ChatError('NOT_FOUND');
      announce({ cause: 'contact-removed', userId, otherId: contactId });
    });
  }
}

function tooManyContacts(limit: number): ChatError {
  return new ChatError('CONFLICT', { message: `A user adds at most ${limit} contacts` });
}

import { Injectable, Logger, Optional, type OnModuleInit } from '@nestjs/common';
import { ConversationDirectory, messagesNoticeKind, type CommittedChanges } from '../conversations/index.js';
import { Announcer, ConnectionRegistry, EveryoneConnected, VisibleUsers } from '../realtime/index.js';
import { NotificationIntake } from './notification.intake.js';
import { OfflineQueueStore, type QueueEntry, type QueuePointer } from './offline-queue.store.js';
import { UserAbsences, type KnownAbsence } from './user-absences.js';

/** A recipient of one or more committed changes. */
interface Recipient {
  userId: string;
  known: KnownAbsence;
  changes: CommittedChanges[];
}

/**
 * After each commit: pointers for devices that are away, and notifications for users without a
 * visible device.
 *
 * Runs on the node that committed, or, when that died, on the one that announces in its place; what
 * is committed is not forgotten by the outbox before this is done. A batch costs one round trip to
 * the store, and none when everybody concerned is known to be here, or to have the pointer.
 */
@Injectable()
export class CommitListener implements OnModuleInit {
  private readonly logger = new Logger(CommitListener.name);
  private readonly visible: VisibleUsers;

  constructor(
    private readonly announcer: Announcer,
    private readonly directory: ConversationDirectory,
    private readonly registry: ConnectionRegistry,
    private readonly absences: UserAbsences,
    private readonly queue: OfflineQueueStore,
    private readonly notifications: NotificationIntake,
    @Optional() visible?: VisibleUsers,
  ) {
    this.visible = visible ?? new EveryoneConnected();
  }

  onModuleInit(): void {
    this.visible.onHidden((userId) => this.absences.forget(userId));
    this.announcer.beforeForgetting(messagesNoticeKind, (batch: CommittedChanges[]) => this.take(batch));
  }

  private take(batch: CommittedChanges[]): Promise<void> | void {
    const memberships = batch.map((changes) => this.membersFromMemory(changes));
    if (memberships.includes(null)) return this.takeSlowly(batch);
    return this.tell(batch, memberships as string[][]);
  }

  private async takeSlowly(batch: CommittedChanges[]): Promise<void> {
    const memberships = await Promise.all(
      batch.map(async ({ conversationId, version }) => [
        ...((await this.directory.get(conversationId, version))?.participants.keys() ?? []),
      ]),
    );
    await this.tell(batch, memberships);
  }

  private membersFromMemory({ members, conversationId, version }: CommittedChanges): string[] | null {
    if (members) return members.map(([userId]) => userId);
    const membership = this.directory.peek(conversationId, version);
    return membership && [...membership.participants.keys()];
  }

  private tell(batch: CommittedChanges[], memberships: string[][]): Promise<void> | void {
    // Nearly always: everybody is here, and nothing has to be put together to find that out.
    if (batch.every((changes, i) => this.isKnownToAll(changes, memberships[i]!))) return;
    const recipients = this.recipientsOf(batch, memberships);
    const unsure = recipients.filter((recipient) => needsLook(recipient));
    if (unsure.length > 0) return this.look(unsure).then(() => this.notify(recipients));
    return this.notify(recipients);
  }

  private isKnownToAll({ conversationId }: CommittedChanges, userIds: string[]): boolean {
    return userIds.every((userId) => isKnownTo(this.absences.of(userId), conversationId));
  }

  private recipientsOf(batch: CommittedChanges[], memberships: string[][]): Recipient[] {
    const byUser = new Map<string, Recipient>();
    batch.forEach((changes, i) => {
      for (const userId of memberships[i]!) {
        const recipient = byUser.get(userId);
        if (recipient) recipient.changes.push(changes);
        else byUser.set(userId, { userId, known: this.absences.of(userId), changes: [changes] });
      }
    });
    return [...byUser.values()];
  }

  private async look(recipients: Recipient[]): Promise<void> {
    const answers = await this.queue.add(recipients.map(entryOf));
    const connected = recipients.filter(({ userId }, i) => answers[i]!.connections > 0 || this.isHere(userId));
    const visible = await this.visible.among(connected.map(({ userId }) => userId));
    recipients.forEach(({ userId, known, changes }, i) => {
      const state = { hasAbsentDevices: answers[i]!.absentDevices > 0, isVisible: visible.has(userId) };
      const conversationIds = changes.map(({ conversationId }) => conversationId);
      this.absences.fill(userId, known, state, conversationIds);
      known.state = state;
    });
  }

  private notify(recipients: Recipient[]): Promise<void> | void {
    const away = recipients.filter(({ known }) => !known.state?.isVisible);
    if (away.length === 0) return;
    return this.notifications.take(away).catch((error: unknown) => {
      this.logger.warn(`notifications put off: ${String(error)}`);
      throw error;
    });
  }

  private isHere(userId: string): boolean {
    return this.registry.ofUser(userId).size > 0;
  }
}

function needsLook({ known, changes }: Recipient): boolean {
  return changes.some(({ conversationId }) => !isKnownTo(known, conversationId));
}

/** Whether the user is visible, and the devices of his that are absent have the pointer. */
function isKnownTo({ state, queued }: KnownAbsence, conversationId: string): boolean {
  // Before somebody is called away he is looked up again: he may have come to another node a moment
  // ago.
  if (!state?.isVisible) return false;
  return !state.hasAbsentDevices || queued.has(conversationId);
}

function entryOf({ userId, changes }: Recipient): QueueEntry {
  const pointers: QueuePointer[] = changes.map(({ conversationId, fromRev }) => ({ conversationId, rev: fromRev }));
  return { userId, pointers };
}

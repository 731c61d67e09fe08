import { Injectable, type OnModuleInit } from '@nestjs/common';
import { invalid } from '../common/index.js';
import { Settings } from '../config/index.js';
import { ConnectionHooks, type Connection } from '../realtime/index.js';

const none: ReadonlySet<Connection> = new Set();
/** Subscriptions of one socket, in questions of the greatest size. */
const maxQuestions = 10;

/**
 * Which sockets of this node asked to hear of whom. They end with the socket; what they show is
 * decided at each event.
 */
@Injectable()
export class PresenceSubscriptions implements OnModuleInit {
  private readonly byUser = new Map<string, Set<Connection>>();
  private readonly byConnection = new Map<Connection, Set<string>>();

  constructor(
    private readonly hooks: ConnectionHooks,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.hooks.register({ disconnected: (connection) => this.drop(connection) });
  }

  /**
   * @throws ChatError VALIDATION_FAILED when the socket would have more than ten times
   * `MAX_USER_IDS`
   */
  add(connection: Connection, userIds: readonly string[]): void {
    const own = this.byConnection.get(connection) ?? new Set();
    const added = userIds.filter((userId) => !own.has(userId));
    const max = this.settings.maxUserIds * maxQuestions;
    if (own.size + added.length > max) throw invalid('userIds', `a socket has at most ${max} subscriptions`);
    this.byConnection.set(connection, own);
    for (const userId of added) {
      own.add(userId);
      const subscribers = this.byUser.get(userId);
      if (subscribers) subscribers.add(connection);
      else this.byUser.set(userId, new Set([connection]));
    }
  }

  remove(connection: Connection, userIds: readonly string[]): void {
    const own = this.byConnection.get(connection);
    for (const userId of userIds) {
      if (own?.delete(userId)) this.forget(connection, userId);
    }
    if (own?.size === 0) this.byConnection.delete(connection);
  }

  to(userId: string): ReadonlySet<Connection> {
    return this.byUser.get(userId) ?? none;
  }

  private drop(connection: Connection): void {
    for (const userId of this.byConnection.get(connection) ?? []) this.forget(connection, userId);
    this.byConnection.delete(connection);
  }

  private forget(connection: Connection, userId: string): void {
    const subscribers = this.byUser.get(userId);
    if (subscribers?.delete(connection) && subscribers.size === 0) this.byUser.delete(userId);
  }
}

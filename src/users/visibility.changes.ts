import { Injectable } from '@nestjs/common';
import { Sql, UserTurns, type SqlRunner } from '../database/index.js';
import { Announcer, type Notice } from '../realtime/index.js';
import type { VisibilityChange } from './visibility.events.js';

export const visibilityNoticeKind = 'visibility-changed';

/** A transaction that may change who sees whom, and tells every node what it changed. */
export interface VisibilityScope {
  tx: SqlRunner;
  /** Announced after commit, from whichever node is alive then. */
  announce: (change: VisibilityChange) => void;
}

/** The one way to change who sees whom: change and announcement commit together. */
@Injectable()
export class VisibilityChanges {
  constructor(
    private readonly sql: Sql,
    private readonly announcer: Announcer,
    private readonly turns: UserTurns,
  ) {}

  /**
   * Runs `work` in a transaction, in a turn of the user's; announces after commit what it asked to,
   * and waits until every node the bus reaches knows.
   */
  async commit<T>(userId: string, work: (scope: VisibilityScope) => Promise<T>): Promise<T> {
    const notices: Notice[] = [];
    const announce = (payload: VisibilityChange) => void notices.push({ kind: visibilityNoticeKind, payload });
    const { result, ticket } = await this.turns.change(userId, () =>
      this.sql.transaction(async (tx) => {
        const result = await work({ tx, announce });
        const ticket = notices.length === 0 ? null : await this.announcer.enlist(tx, notices);
        return { result, ticket };
      }),
    );
    if (ticket !== null) await this.announcer.announceEverywhere(ticket, notices);
    return result;
  }
}

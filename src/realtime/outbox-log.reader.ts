import { Injectable } from '@nestjs/common';
import type { Position } from '../database/index.js';
import { NoticeLogRepository, noticeRowsPerPage, type NoticeLogCursor } from './notice-log.repository.js';
import type { Notice } from './outbox.repository.js';

/**
 * Reads the log of the outbox by commit position: each row once, none left out, not even one of a
 * slow transaction that commits after later ones (ADR-0006).
 */
@Injectable()
export class OutboxLogReader {
  private position: Position | null = null;
  /** Rows at or above the position that were read already. */
  private knownXids = new Map<number, number>();

  constructor(private readonly log: NoticeLogRepository) {}

  /**
   * Passes on what was committed since the last call, oldest first. The first call passes nothing
   * on, because memory is filled from tables that contain all earlier changes. After a restore of
   * the database, a call passes on everything that the log contains.
   *
   * @throws ChatError UNAVAILABLE
   */
  async readNew(take: (notices: Notice[]) => void): Promise<void> {
    const { position } = this;
    const isFirst = position === null;
    let cursor: NoticeLogCursor = { xid: position?.xmin ?? Number.MAX_SAFE_INTEGER, id: 0 };
    const first = await this.log.page(cursor, [...this.knownXids.keys()]);
    if (!isFirst && (first.position.epoch !== position.epoch || first.position.xmin < position.xmin)) {
      this.position = { epoch: first.position.epoch, xmin: 0 };
      this.knownXids.clear();
      return this.readNew(take);
    }
    for (let page = first; ; page = await this.log.page(cursor, [...this.knownXids.keys()])) {
      for (const { id, xid, notices } of page.rows) {
        this.knownXids.set(id, xid);
        take(notices);
        cursor = { xid, id };
      }
      if (page.rows.length < noticeRowsPerPage) break;
    }
    this.advance(first.position);
  }

  private advance(position: Position): void {
    this.position = position;
    for (const [id, xid] of this.knownXids) if (xid < position.xmin) this.knownXids.delete(id);
  }
}

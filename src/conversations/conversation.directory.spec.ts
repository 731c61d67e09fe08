import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import type { AccessWatch } from '../auth/index.js';
import { newId } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { Sql } from '../database/index.js';
import { NodeBus } from '../redis/index.js';
import { ConversationDirectory } from './conversation.directory.js';
import type { Membership } from './membership.js';
import { MembershipRepository } from './membership.repository.js';

let nowMs = 0;
let isKept = true;

class TestBus extends NodeBus {
  readonly nodeId = 'node';
  readonly isShared = true;
  isHealthy = true;
  reconnect: (awayMs: number) => void = () => undefined;
  async publish(): Promise<void> {}
  async flush(): Promise<void> {}
  subscribe(): void {}
  onReconnected(listener: (awayMs: number) => void): void {
    this.reconnect = listener;
  }
}

/** The real one, counting, and holding an answer back where a test wants that. */
class WatchedRepository extends MembershipRepository {
  reads = 0;
  hold: Promise<void> = Promise.resolve();

  override async load(conversationId: string): Promise<Membership | null> {
    this.reads += 1;
    const membership = await super.load(conversationId);
    await this.hold;
    return membership;
  }
}

let database: TestDatabase;
let pool: pg.Pool;
let id: string;
let bus: TestBus;
let repository: WatchedRepository;
let directory: ConversationDirectory;

beforeAll(async () => {
  database = await createDatabase();
  // As the application's pool does it (`parseInt8`).
  pg.types.setTypeParser(20, Number);
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  id = newId();
  bus = new TestBus();
  repository = new WatchedRepository(new Sql(pool));
  isKept = true;
  const watch = {
    get isKept() {
      return isKept;
    },
  } as AccessWatch;
  directory = new ConversationDirectory(repository, bus, watch, { now: () => nowMs }, makeSettings());
  await pool.query(`INSERT INTO conversations (id, kind) VALUES ($1, 'group')`, [id]);
  await join('alice');
});

async function change(text: string, userId: string): Promise<number> {
  await pool.query(text, [id, userId]);
  const bump = 'UPDATE conversations SET participants_version = participants_version + 1 WHERE id = $1';
  const { rows } = await pool.query<{ version: number }>(`${bump} RETURNING participants_version AS version`, [id]);
  return rows[0]!.version;
}
const join = (userId: string) =>
  change(`INSERT INTO participants (conversation_id, user_id, role) VALUES ($1, $2, 'member')`, userId);
const leave = (userId: string) =>
  change('UPDATE participants SET left_at = now() WHERE conversation_id = $1 AND user_id = $2', userId);

describe('ConversationDirectory', () => {
  it('reads a conversation once for callers at the same time, and then from memory', async () => {
    const answers = await Promise.all([directory.get(id), directory.get(id), directory.participantOf(id, 'alice')]);
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toMatchObject({ conversationId: id, kind: 'group', version: 2 });
    expect((await directory.participantOf(id, 'alice'))?.participant).toEqual({ role: 'member', joinedSeq: 0 });
    expect(repository.reads).toBe(1);
  });

  it('answers null for what does not exist', async () => {
    expect(await directory.get(newId())).toBeNull();
    expect(await directory.participantOf(newId(), 'alice')).toBeNull();
  });

  it('never denies from memory', async () => {
    expect(await directory.participantOf(id, 'bob')).toBeNull();
    await directory.get(id);
    await join('bob');
    expect(await directory.participantOf(id, 'bob')).not.toBeNull();
  });

  it('reads again for a version it does not have', async () => {
    await directory.get(id);
    const version = await join('bob');
    expect(directory.peek(id, version)).toBeNull();
    expect((await directory.get(id, version))?.participants.has('bob')).toBe(true);
    expect(directory.peek(id, version)?.version).toBe(version);
  });

  it('forgets what a notice says is old, and keeps what is not', async () => {
    const known = await directory.get(id);
    directory.invalidate(id, known!.version);
    expect(directory.peek(id)).toBe(known);
    directory.invalidate(id, await leave('alice'));
    expect(await directory.participantOf(id, 'alice')).toBeNull();
  });

  it('does not remember what was being read when the notice came', async () => {
    let open!: () => void;
    repository.hold = new Promise((resolve) => (open = resolve));
    const before = directory.get(id);
    while (repository.reads === 0 || pool.idleCount < pool.totalCount) await new Promise(setImmediate);
    const version = await leave('alice');
    directory.invalidate(id, version);
    open();
    expect((await before)?.version).toBe(version);
    expect(directory.peek(id)?.participants.has('alice')).toBe(false);
  });

  it('believes its memory for a minute, for the revocation bound if it is told of nothing, and after an outage not at all', async () => {
    const known = await directory.get(id);
    nowMs += 59_000;
    expect(directory.peek(id)).toBe(known);
    bus.isHealthy = false;
    expect(directory.peek(id)).toBe(known);
    isKept = false;
    expect(directory.peek(id)).toBeNull();
    bus.isHealthy = true;
    expect(directory.peek(id)).toBe(known);
    nowMs += 1_000;
    expect(directory.peek(id)).toBeNull();
    await directory.get(id);
    bus.reconnect(1_000);
    expect(directory.peek(id)).toBeNull();
  });
});

import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { ChatError } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { dataSourceOptions, Sql, WatchSql } from '../database/index.js';
import type { Metrics } from '../metrics/index.js';
import { NodeBus, type BusHandler } from '../redis/index.js';
import { AccessWatch } from './access-watch.js';
import type { Principal } from './principal.js';
import { RevocationRepository, revocationsPerPage } from './revocation.repository.js';
import { Revocations } from './revocations.js';
import { eventually } from '../../test/setup/patience.js';

const nowMs = Date.UTC(2026, 2, 1, 12, 0, 0, 500);

/** Carries to all peers, unless it is cut. */
class LinkedBus extends NodeBus {
  readonly nodeId = 'spec';
  readonly isShared = true;
  isHealthy = true;
  private readonly handlers = new Map<string, BusHandler>();

  constructor(private readonly peers: LinkedBus[]) {
    super();
    peers.push(this);
  }

  override async publish(topic: string, payload: unknown): Promise<void> {
    if (!this.isHealthy) throw new ChatError('UNAVAILABLE');
    for (const peer of this.peers) if (peer !== this && peer.isHealthy) peer.hear(topic, payload);
  }

  override async flush(): Promise<void> {}

  override subscribe(topic: string, handler: BusHandler): void {
    this.handlers.set(topic, handler);
  }

  override onReconnected(): void {}

  hear(topic: string, payload: unknown): void {
    this.handlers.get(topic)?.(JSON.parse(JSON.stringify(payload)));
  }
}

interface Node {
  revocations: Revocations;
  watch: AccessWatch;
  bus: LinkedBus;
  pool: Pool;
  heard: [string, number][];
}

let database: TestDatabase;
let peers: LinkedBus[];
let closing: (() => Promise<unknown>)[];

async function makeNode(): Promise<Node> {
  const source = new DataSource(dataSourceOptions({ url: database.url, poolSize: 2, timeoutMs: 2_500 }));
  await source.initialize();
  const pool = (source.driver as unknown as { master: Pool }).master;
  const bus = new LinkedBus(peers);
  const sql = new Sql(pool);
  const watch = new AccessWatch(makeSettings(), { sample: () => undefined } as unknown as Metrics);
  const revocations = new Revocations(new RevocationRepository(sql, new WatchSql(pool)), sql, bus, watch);
  const heard: [string, number][] = [];
  revocations.onRevoked((userId, beforeMs) => heard.push([userId, beforeMs]));
  closing.push(async () => {
    await watch.onApplicationShutdown();
    await source.destroy();
  });
  return { revocations, watch, bus, pool, heard };
}

async function startNode(): Promise<Node> {
  const node = await makeNode();
  await node.revocations.onModuleInit();
  await node.watch.onApplicationBootstrap();
  return node;
}

/** A node that hears nothing by the bus and reads only when told to. */
async function deafNode(): Promise<Node> {
  const node = await makeNode();
  await node.revocations.refresh();
  return node;
}

const tokenOf = (userId: string, issuedAtMs: number | null) => ({ userId, scopes: [], issuedAtMs, expiresAtMs: nowMs });
const old = (userId: string) => tokenOf(userId, nowMs - 60_000);

beforeAll(() => Logger.overrideLogger(false));

beforeEach(async () => {
  database = await createDatabase();
  peers = [];
  closing = [];
});

afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  await database.drop();
});

describe('Revocations', () => {
  it('covers tokens issued up to the mark, and those that do not say when', async () => {
    const { revocations } = await startNode();
    await revocations.revoke('alice', nowMs - 500);
    const isRevoked = (issuedAtMs: number | null) => revocations.isRevoked(tokenOf('alice', issuedAtMs));
    expect([nowMs - 501, nowMs - 500, nowMs - 499, null].map(isRevoked)).toEqual([true, true, false, true]);
    expect(revocations.isRevoked(tokenOf('bob', null))).toBe(false);
  });

  it('covers everything until now by default, whatever part of a second `iat` leaves out', async () => {
    const { revocations } = await startNode();
    await revocations.revoke('alice');
    expect(revocations.isRevoked(tokenOf('alice', nowMs - 500))).toBe(true);
    expect(revocations.isRevoked(tokenOf('alice', Date.now() + 60_000))).toBe(false);
  });

  it("takes the time from the database, whatever the node's clock says", async () => {
    const { revocations, pool } = await startNode();
    vi.useFakeTimers({ now: Date.now() - 3_600_000, toFake: ['Date'] });
    try {
      await revocations.revoke('alice');
    } finally {
      vi.useRealTimers();
    }
    const { rows } = await pool.query<{ before: Date }>(`SELECT clock_timestamp() AS before`);
    const issuedJustBefore = rows[0]!.before.getTime() - 60_000;
    expect(revocations.isRevoked(tokenOf('alice', issuedJustBefore))).toBe(true);
  });

  it('tells all nodes at once, and each listener once', async () => {
    const [one, other] = [await startNode(), await startNode()];
    await one.revocations.revoke('alice', nowMs);
    await one.revocations.revoke('alice', nowMs);
    await other.revocations.refresh();
    expect(other.revocations.isRevoked(old('alice'))).toBe(true);
    expect([one.heard, other.heard]).toEqual([[['alice', nowMs]], [['alice', nowMs]]]);
  });

  it('reaches a node within two seconds while the bus is away', async () => {
    const [one, other] = [await startNode(), await startNode()];
    one.bus.isHealthy = other.bus.isHealthy = false;
    await one.revocations.revoke('alice', nowMs);
    await eventually(() => expect(other.heard).toEqual([['alice', nowMs]]), { timeout: 20_000, interval: 20 });
  });

  it('is read by a node that the bus did not reach', async () => {
    const [one, other] = [await startNode(), await startNode()];
    other.bus.isHealthy = false;
    await one.revocations.revoke('alice');
    await other.revocations.refresh();
    expect(other.revocations.isRevoked(old('alice'))).toBe(true);
  });

  it('never lowers a mark, in whatever order nodes hear', async () => {
    const [one, other] = [await startNode(), await startNode()];
    await one.revocations.revoke('alice', nowMs - 10_000);
    await other.revocations.revoke('alice', nowMs - 50_000);
    one.bus.hear('revoked', { kind: 'tokens', userId: 'alice', beforeMs: nowMs - 70_000 });
    const later = await startNode();
    for (const { revocations } of [one, other, later]) {
      expect(revocations.isRevoked(tokenOf('alice', nowMs - 10_000))).toBe(true);
    }
  });

  it('survives a restart of every node', async () => {
    await (await startNode()).revocations.revoke('unseen-before');
    expect((await startNode()).revocations.isRevoked(old('unseen-before'))).toBe(true);
  });

  it('reads more marks than fit one page', async () => {
    const { pool, revocations, heard } = await deafNode();
    const count = 2 * revocationsPerPage;
    await pool.query(
      `INSERT INTO users (id, revoked_before, revoked_xid) SELECT 'user-' || n, now(), current_xid()
       FROM generate_series(1, $1::int) n`,
      [count],
    );
    await revocations.refresh();
    expect(heard.length).toBe(count);
  });

  it('does not miss a transaction that commits after a later one', async () => {
    const [reader, writer] = [await deafNode(), await deafNode()];
    const slow = await writer.pool.connect();
    await slow.query('BEGIN');
    await slow.query(`INSERT INTO users (id, revoked_before, revoked_xid) VALUES ('slow', now(), current_xid())`);
    await writer.revocations.revoke('quick');
    await reader.revocations.refresh();
    await reader.revocations.refresh();
    expect(reader.heard.map(([userId]) => userId)).toEqual(['quick']);
    await slow.query('COMMIT');
    slow.release();
    await reader.revocations.refresh();
    expect(reader.heard.map(([userId]) => userId)).toEqual(['quick', 'slow']);
  });

  it('reads everything again after a restore of the database, whose transaction ids begin elsewhere', async () => {
    const { pool, revocations } = await deafNode();
    await pool.query(`UPDATE epoch_seed SET seed = 'restored'`);
    await pool.query(`INSERT INTO users (id, revoked_before, revoked_xid) VALUES ('alice', now(), 1)`);
    await revocations.refresh();
    expect(revocations.isRevoked(old('alice'))).toBe(true);
  });

  it('goes on with what it knows while Postgres is away, and does not claim what was not committed', async () => {
    const { revocations } = await startNode();
    await revocations.revoke('alice');
    await database.drop();
    await expect(revocations.refresh()).rejects.toThrow();
    await expect(revocations.revoke('bob')).rejects.toThrow();
    expect(revocations.isRevoked(old('alice'))).toBe(true);
    expect(revocations.isRevoked(old('bob'))).toBe(false);
  });

  it('does not start a node that cannot know what is revoked', async () => {
    const { revocations } = await makeNode();
    await database.drop();
    await expect(revocations.onModuleInit()).rejects.toThrow();
  });

  it("takes a mark ahead of the database's clock by up to an hour, and none further ahead", async () => {
    const { revocations } = await startNode();
    const soonMs = Date.now() + 1_800_000;
    await revocations.revoke('alice', soonMs);
    expect(revocations.isRevoked(tokenOf('alice', soonMs))).toBe(true);
    for (const beforeMs of [Date.now() + 5_400_000, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(revocations.revoke('bob', beforeMs)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  it('is not disturbed by a listener that throws, nor by nonsense on the bus', async () => {
    const { revocations, bus, heard } = await makeNode();
    revocations.onRevoked(() => {
      throw new Error('a bug');
    });
    revocations.onRevoked((userId, beforeMs) => heard.push([userId, beforeMs]));
    await revocations.onModuleInit();
    const alice = { userId: 'alice', beforeMs: nowMs };
    for (const nonsense of [
      null,
      'alice',
      {},
      alice,
      { kind: 'tokens', userId: 'alice' },
      { kind: 'tokens', userId: 7, beforeMs: nowMs },
      { ...alice, kind: 'sessions' },
      { ...alice, kind: 'device', deviceId: 7 },
    ]) {
      bus.hear('revoked', nonsense);
    }
    await revocations.revoke('alice', nowMs);
    expect(heard).toEqual([
      ['alice', nowMs],
      ['alice', nowMs],
    ]);
  });
});

describe("a user's own revocations", () => {
  const used: Principal = { ...tokenOf('alice', null), tokenHash: 'used' };
  const second = (ms: number) => Math.floor(ms / 1_000) * 1_000;
  const markOf = ({ heard }: Node) => heard.at(-1)![1];

  it('end all tokens of the second and before it, and those that do not say when, but the one in use', async () => {
    const [node, other] = [await startNode(), await startNode()];
    await node.revocations.endOtherSessions(used);
    const markMs = markOf(node);
    for (const { revocations } of [node, other, await startNode()]) {
      const isRevoked = (issuedAtMs: number | null, tokenHash = 'other') =>
        revocations.isRevoked({ ...tokenOf('alice', issuedAtMs), tokenHash });
      const ofSecond = [second(markMs) - 1_000, second(markMs), second(markMs) + 999, second(markMs) + 1_000, null];
      expect(ofSecond.map((issuedAtMs) => isRevoked(issuedAtMs))).toEqual([true, true, true, false, true]);
      expect(isRevoked(null, 'used')).toBe(false);
      expect(revocations.isRevoked(tokenOf('alice', null))).toBe(true);
    }
  });

  it('keep one token only: the exception of an earlier call ends', async () => {
    const [node, other] = [await startNode(), await startNode()];
    await node.revocations.endOtherSessions(used);
    const newer = { ...tokenOf('alice', second(markOf(node)) + 1_000), tokenHash: 'newer' };
    await other.revocations.endOtherSessions(newer);
    for (const { revocations } of [node, other]) {
      expect([used, newer].map((principal) => revocations.isRevoked(principal))).toEqual([true, false]);
    }
  });

  it('do not bring a token back that an earlier call has taken', async () => {
    const [node, other] = [await startNode(), await deafNode()];
    await node.revocations.endOtherSessions(used);
    const loser = { ...old('alice'), tokenHash: 'loser' };
    expect(other.revocations.isRevoked(loser)).toBe(false);
    await expect(other.revocations.endOtherSessions(loser)).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
    expect(node.revocations.isRevoked(used)).toBe(false);
    expect(node.revocations.isRevoked(loser)).toBe(true);
  });

  it('keep no token that an admin takes back later', async () => {
    const node = await startNode();
    await node.revocations.endOtherSessions(used);
    await node.revocations.revoke('alice', nowMs);
    expect(node.revocations.isRevoked(used)).toBe(true);
  });

  it('take back the tokens of a removed device on that device, and nothing if there was none', async () => {
    const [node, other] = [await startNode(), await startNode()];
    expect(await node.revocations.removeDevice('alice', 'phone', async () => false)).toBe(false);
    expect(node.revocations.isRevoked(old('alice'), 'phone')).toBe(false);
    expect(await node.revocations.removeDevice('alice', 'phone', async () => true)).toBe(true);
    const markMs = markOf(node);
    for (const { revocations } of [node, other, await startNode()]) {
      const isRevoked = (issuedAtMs: number | null, deviceId: string | null) =>
        revocations.isRevoked(tokenOf('alice', issuedAtMs), deviceId);
      const ofSecond = [second(markMs), second(markMs) + 1_000, null];
      expect(ofSecond.map((issuedAtMs) => isRevoked(issuedAtMs, 'phone'))).toEqual([true, false, true]);
      expect([isRevoked(null, 'laptop'), isRevoked(null, null)]).toEqual([false, false]);
    }
  });

  it('keep the newest 100 removed devices apart; the tokens of earlier ones end on every device', async () => {
    const { pool, revocations } = await deafNode();
    await pool.query(
      `INSERT INTO revocations (user_id, device_id, before, xid)
       SELECT 'alice', 'device-' || n, to_timestamp($1::float8 / 1000) + make_interval(secs => n), current_xid()
       FROM generate_series(1, 101) n ORDER BY random()`,
      [second(nowMs)],
    );
    await revocations.refresh();
    const isRevoked = (seconds: number, deviceId: string) =>
      revocations.isRevoked(tokenOf('alice', second(nowMs) + seconds * 1_000), deviceId);
    expect([isRevoked(101, 'device-101'), isRevoked(102, 'device-101')]).toEqual([true, false]);
    expect([isRevoked(1, 'unknown'), isRevoked(2, 'unknown')]).toEqual([true, false]);
    expect([isRevoked(1, 'device-1'), isRevoked(2, 'device-1')]).toEqual([true, false]);
  });
});

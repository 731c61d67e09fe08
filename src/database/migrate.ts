import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from './data-source.options.js';

/** Receives a line that says who is waited for. */
export type WaitReport = (line: string) => void;

// Any constant will do, as long as nobody else uses it on this database.
const migrationLockKey = 7_271_956_130;
const pollMs = 100;
const reportIntervalMs = 5_000;
const timeoutMs = 10_000;

/**
 * Brings the schema up to date.
 *
 * TypeORM takes no lock of its own, so nodes that start together would collide: an advisory lock
 * lets one run them and the others wait. It is the session's: Postgres gives it back when the
 * process ends, however it ends.
 *
 * @param onWait default: a line of the log
 * @returns the names of the migrations that ran now
 */
export async function runMigrations(url: string, onWait: WaitReport = logLine): Promise<string[]> {
  const dataSource = new DataSource(dataSourceOptions({ url, poolSize: 2, timeoutMs, isUnbounded: true }));
  await dataSource.initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await takeLock(lock, onWait);
    const ran = await dataSource.runMigrations({ transaction: 'each' });
    return ran.map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [migrationLockKey]).catch(() => undefined);
    await lock.release();
    await dataSource.destroy();
  }
}

/** Asks again and again instead of waiting in the server: a wait there says nothing. */
async function takeLock(runner: QueryRunner, onWait: WaitReport): Promise<void> {
  let reportAtMs = performance.now() + pollMs;
  for (;;) {
    const [row] = (await runner.query('SELECT pg_try_advisory_lock($1) AS taken', [migrationLockKey])) as [
      { taken: boolean },
    ];
    if (row.taken) return;
    if (performance.now() >= reportAtMs) {
      onWait(`Waiting for another process that migrates the database${await holderOf(runner)}`);
      reportAtMs = performance.now() + reportIntervalMs;
    }
    await sleep(pollMs);
  }
}

async function holderOf(runner: QueryRunner): Promise<string> {
  const rows = (await runner.query(
    `SELECT a.pid, coalesce(host(a.client_addr), 'a local socket') AS address, a.backend_start AS since
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (l.classid::bigint << 32) + l.objid::bigint = $1`,
    [migrationLockKey],
  )) as { pid: number; address: string; since: Date }[];
  const [holder] = rows;
  if (!holder) return '';
  const since = holder.since instanceof Date ? `, connected since ${holder.since.toISOString()}` : '';
  return ` (server process ${holder.pid}, from ${holder.address}${since})`;
}

function logLine(line: string): void {
  new Logger('Migrations').log(line);
}

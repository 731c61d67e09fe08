import pg from 'pg';
import { expect, it } from 'vitest';
import { createDatabase } from '../../test/setup/services.js';
import { eventually } from '../../test/setup/patience.js';
import { runMigrations } from './migrate.js';

it('waits for another process that migrates, says for whom, and goes on when it has ended', async () => {
  const database = await createDatabase();
  const other = new pg.Client({ connectionString: database.url });
  other.on('error', () => undefined);
  await other.connect();
  const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_advisory_lock(7271956130)');
  const lines: string[] = [];
  const running = runMigrations(database.url, (line) => lines.push(line));
  await eventually(() => expect(lines).toHaveLength(1));
  expect(lines[0]).toMatch(
    new RegExp(
      `^Waiting for another process that migrates the database \\(server process ${rows[0]!.pid}, from 127.0.0.1, connected since 20`,
    ),
  );
  await other.end();
  expect(await running).toEqual([]);
  await database.drop();
});

import pg from 'pg';
import { SettingsError } from '../config/index.js';

const timeoutMs = 10_000;

/**
 * Tries to sign in to Postgres, so that a wrong `DATABASE_URL` stops the start with one line.
 *
 * @throws SettingsError without the URL, which holds a password
 */
export async function assertReachable(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  // Cut between two statements: the next one fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    throw new SettingsError([`DATABASE_URL: cannot connect: ${reasonOf(error)}`]);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function reasonOf(error: unknown): string {
  // Node reports several addresses of one host as one error without a text of its own.
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

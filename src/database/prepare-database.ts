import { SettingsError } from '../config/index.js';
import { runMigrations, type WaitReport } from './migrate.js';
import { assertNoTransactionPooler } from './pooler-check.js';
import { singleConnection } from './postgres.client.js';
import { reasonOf } from './reason.js';
import { assertMigrated } from './schema-check.js';

export interface DatabasePlan {
  url: string;
  /** `MIGRATIONS_RUN`: run what is missing; else it must be there. */
  mustMigrate: boolean;
  /** Receives a line while another process migrates. */
  onWait?: WaitReport;
}

interface ServerFacts {
  version: number;
  encoding: string;
  isStandby: boolean;
  isReadOnly: boolean;
}

const leastVersion = 140_000;

/**
 * Whatever keeps this server from working on a database stops the start, in one line that says what
 * to do. It never quotes the URL, which holds a password.
 *
 * @throws SettingsError
 */
export async function prepareDatabase({ url, mustMigrate, onWait }: DatabasePlan): Promise<void> {
  await assertUsable(url);
  await assertNoTransactionPooler(url).catch(asSettingsError('cannot be used'));
  if (mustMigrate) await runMigrations(url, onWait).catch(asSettingsError('migrations cannot run'));
  else await assertMigrated(url).catch(asSettingsError('cannot be read'));
}

async function assertUsable(url: string): Promise<void> {
  const facts = await factsOf(url).catch(asSettingsError('cannot connect'));
  const fault = faultOf(facts);
  if (fault !== null) throw new SettingsError([`DATABASE_URL: ${fault}`]);
}

async function factsOf(url: string): Promise<ServerFacts> {
  const client = singleConnection(url);
  try {
    await client.connect();
    const { rows } = await client.query<ServerFacts>(
      `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
              pg_is_in_recovery() AS "isStandby", current_setting('transaction_read_only') = 'on' AS "isReadOnly"`,
    );
    return rows[0]!;
  } finally {
    void client.end().catch(() => undefined);
  }
}

function faultOf({ version, encoding, isStandby, isReadOnly }: ServerFacts): string | null {
  if (version < leastVersion) return 'leads to a Postgres older than 14; use 14 or newer';
  if (isStandby) return 'leads to a standby, which takes no writes; it must lead to the primary';
  if (isReadOnly)
    return 'leads to a database that is read-only (default_transaction_read_only is on for it, or for this role)';
  if (encoding !== 'UTF8') return `leads to a database with the encoding ${encoding}; create one with ENCODING 'UTF8'`;
  return null;
}

/** Errors of the driver and the server become one line; others stay what they are. */
function asSettingsError(what: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError([`DATABASE_URL: ${what}: ${reasonOf(error)}`], error);
  };
}

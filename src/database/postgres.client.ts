import { types as nodeTypes } from 'node:util';
import pg from 'pg';
import { readDatabaseUrl, type DatabaseAddress, type DatabaseHost } from '../config/index.js';
import { PrimaryFinder } from './primary-finder.js';
import { sessionStatement, type SessionTimes } from './session-settings.js';

const applicationName = 'parley';
const defaultTimeoutMs = 10_000;

export interface PostgresClientOptions extends Partial<SessionTimes> {
  /** For signing in and preparing the session. */
  connectTimeoutMs?: number;
}

type ConnectCallback = ((error: Error) => void) | ((error: null, client: pg.Client) => void);
type PostgresClientClass = new (config?: pg.ClientConfig | string) => pg.Client;

type SessionRow = { isReadOnly: boolean };

/**
 * The class of all connections to one database: for the pools of TypeORM, and for single
 * connections.
 *
 * Guarantees: `DATABASE_URL` decides; no variable of libpq (`PGSSLMODE`, `PGOPTIONS` …) and no
 * `~/.pgpass` has a part in it. Before anybody uses a connection, its session has the settings that
 * statements rely on, whatever the database or the role has for others. Of several hosts it is the
 * one that takes writes. The start-up packet holds what PgBouncer lets through.
 */
export function postgresClientOf(url: string, options: PostgresClientOptions = {}): PostgresClientClass {
  const address = readDatabaseUrl(url);
  const { connectTimeoutMs = defaultTimeoutMs, statementMs = 0 } = options;
  const session = { statementMs };
  const finder = new PrimaryFinder(address.hosts, async (host) => {
    const client = new (classOf(address, session, connectTimeoutMs, { find: () => Promise.resolve(host) }))({
      connectionTimeoutMillis: connectTimeoutMs,
    });
    try {
      await client.connect();
    } finally {
      void client.end().catch(() => undefined);
    }
  });
  return classOf(address, session, connectTimeoutMs, finder);
}

interface HostSource {
  find(): Promise<DatabaseHost>;
  forget?(host: DatabaseHost): void;
}

function classOf(
  address: DatabaseAddress,
  session: SessionTimes,
  timeoutMs: number,
  hosts: HostSource,
): PostgresClientClass {
  const { hosts: all, user, password, database, ssl, sslnegotiation } = address;
  const mustWrite = all.length > 1;
  return class PostgresClient extends pg.Client {
    constructor(config?: pg.ClientConfig | string) {
      const given = typeof config === 'object' ? config : {};
      // Everything is said: what is left out, the driver takes from the environment.
      super({
        ...given,
        connectionString: undefined,
        ...all[0]!,
        user,
        password: () => password,
        database,
        ssl,
        sslnegotiation,
        application_name: applicationName,
        client_encoding: 'UTF8',
      });
      // Cut while nobody asks it anything: the next statement fails. The pool listens to idle
      // connections only, and without a listener the process would end.
      this.on('error', () => undefined);
    }

    /** Called by the driver. Nothing but what every server and pooler takes. */
    getStartupConf(): Record<string, string> {
      return { user, database, client_encoding: 'UTF8', application_name: applicationName };
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: ConnectCallback): void;
    override connect(callback?: ConnectCallback): Promise<pg.Client> | void {
      const opening = this.open();
      if (!callback) return opening;
      opening.then(
        () => process.nextTick(callback, null, this),
        (error: unknown) => process.nextTick(callback, asError(error)),
      );
    }

    private async open(): Promise<pg.Client> {
      const host = await hosts.find();
      Object.assign(this, host);
      try {
        await super.connect();
        await this.prepareSession();
        return this;
      } catch (error) {
        hosts.forget?.(host);
        void this.end().catch(() => undefined);
        throw error;
      }
    }

    private async prepareSession(): Promise<void> {
      const query = { ...sessionStatement(session), query_timeout: timeoutMs };
      const { rows } = await this.query<SessionRow>(query);
      if (mustWrite && rows[0]!.isReadOnly) throw new ReadOnlyHostError();
    }
  };
}

/** Of several hosts one that takes no writes; `code` as Postgres has it for such a write. */
export class ReadOnlyHostError extends Error {
  readonly code = '25006';

  constructor() {
    super('the server is a standby or read-only: it takes no writes');
  }
}

const asError = (error: unknown): Error => (nodeTypes.isNativeError(error) ? error : new Error(String(error)));

/** A single connection, for what is done once. The caller ends it. */
export function singleConnection(url: string, options: PostgresClientOptions = {}): pg.Client {
  return new (postgresClientOf(url, options))({
    connectionTimeoutMillis: options.connectTimeoutMs ?? defaultTimeoutMs,
  });
}

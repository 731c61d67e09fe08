/** Reads `DATABASE_URL`. No message quotes a part of it: it holds a password. */
import { userInfo } from 'node:os';
import { parse } from 'pg-connection-string';

export interface DatabaseHost {
  /** A name, an address, or the folder of a Unix socket (begins with `/`). */
  host: string;
  port: number;
}

export interface DatabaseAddress {
  /** At least one. With several, the server looks for the one that takes writes. */
  hosts: DatabaseHost[];
  user: string;
  password: string;
  database: string;
  ssl: boolean | object;
  sslnegotiation: 'postgres' | 'direct';
}

const form = 'must look like postgres://user:password@host:5432/database';
const escapes = 'in user and password write % as %25, @ as %40, / as %2F, ? as %3F, # as %23 and : as %3A';
const defaultPort = 5432;
const writable = new Set(['any', 'read-write', 'primary']);

class DatabaseUrlError extends Error {}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DatabaseUrlError(`holds a % that begins no escape; ${escapes}`);
  }
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new DatabaseUrlError(`has a port that is no number from 1 to 65535; ${escapes}`);
  return port;
}

function hostOf(text: string): DatabaseHost {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text);
  if (!match) throw new DatabaseUrlError(`has a host that cannot be read; ${form}, an IPv6 address in brackets`);
  const [, inBrackets, plain, port] = match;
  return { host: decoded(inBrackets ?? plain ?? '') || 'localhost', port: portOf(port) };
}

/** As libpq takes `?host=a,b&port=1,2`: one port for all, or one for each. */
function hostsOfQuery(host: string, port: string | null): DatabaseHost[] {
  const names = host.split(',');
  const ports = (port ?? '').split(',');
  if (ports.length > 1 && ports.length !== names.length)
    throw new DatabaseUrlError('has another number of ports than of hosts');
  return names.map((name, i) => ({
    host: name.replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: portOf(ports[ports.length > 1 ? i : 0]),
  }));
}

function hostsOf(authority: string, query: URLSearchParams): DatabaseHost[] {
  const host = query.get('hostaddr') ?? query.get('host');
  if (host) return hostsOfQuery(host, query.get('port'));
  const hosts = authority.split(',').map(hostOf);
  const port = query.get('port');
  return port === null ? hosts : hosts.map((one) => ({ ...one, port: portOf(port) }));
}

function nameOfProcess(): string {
  try {
    return userInfo().username;
  } catch {
    throw new DatabaseUrlError(`names no user; ${form}`);
  }
}

/** The library reads the files of `sslrootcert`, `sslcert` and `sslkey` as well. */
function tlsOf(query: URLSearchParams): Pick<DatabaseAddress, 'ssl' | 'sslnegotiation'> {
  const names = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation', 'uselibpqcompat'];
  const tls = new URLSearchParams(
    names.flatMap((name): [string, string][] => (query.has(name) ? [[name, query.get(name)!]] : [])),
  );
  const negotiation = query.get('sslnegotiation') ?? 'postgres';
  if (negotiation !== 'postgres' && negotiation !== 'direct')
    throw new DatabaseUrlError('has an sslnegotiation that is neither postgres nor direct');
  const mode = query.get('sslmode') ?? 'prefer';
  if (!/^(disable|allow|prefer|require|verify-ca|verify-full|no-verify)$/.test(mode))
    throw new DatabaseUrlError('has an sslmode that Postgres does not know');
  // The library takes these for verify-full, with ten lines of warning.
  if (!query.has('uselibpqcompat') && /^(prefer|require|verify-ca)$/.test(query.get('sslmode') ?? ''))
    tls.set('sslmode', 'verify-full');
  try {
    const { ssl } = parse(`postgres://host/database?${tls.toString()}`) as { ssl?: boolean | object | string };
    return { ssl: typeof ssl === 'string' ? ssl !== 'false' : (ssl ?? false), sslnegotiation: negotiation };
  } catch (error) {
    // A file that cannot be read: Node's message names it.
    throw new DatabaseUrlError(`has TLS options that cannot be used: ${(error as Error).message}`);
  }
}

function assertWritable(query: URLSearchParams): void {
  const wanted = query.get('target_session_attrs') ?? 'any';
  if (!writable.has(wanted))
    throw new DatabaseUrlError('asks for a server that takes no writes (target_session_attrs); use read-write');
}

/**
 * Reads an address as libpq does: several hosts, IPv6, `?host=/folder/of/the/socket`. Environment
 * variables of libpq (`PGHOST`, `PGSSLMODE` …) have no part in it.
 *
 * @throws Error whose message goes behind the setting's name
 */
export function readDatabaseUrl(text: string): DatabaseAddress {
  const match = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#.*)?$/.exec(text);
  if (!match) throw new DatabaseUrlError(`must be a URL that starts with postgres:// or postgresql://; it ${form}`);
  const [, authority = '', path = '', search = '', fragment] = match;
  if (fragment !== undefined) throw new DatabaseUrlError(`holds a #; ${escapes}`);
  const at = authority.lastIndexOf('@');
  const [user = '', ...password] = (at < 0 ? '' : authority.slice(0, at)).split(':');
  if (search !== '') decoded(search);
  // As libpq, which takes a plus sign for itself.
  const query = new URLSearchParams(search.replaceAll('+', '%2B'));
  assertWritable(query);
  const hosts = hostsOf(authority.slice(at + 1), query);
  const name = query.get('user') ?? (decoded(user) || nameOfProcess());
  return {
    hosts,
    user: name,
    password: query.get('password') ?? decoded(password.join(':')),
    database: query.get('dbname') ?? (decoded(path) || name),
    ...tlsOf(query),
  };
}

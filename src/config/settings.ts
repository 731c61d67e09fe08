import { isIP } from 'node:net';
import { withSecretFiles } from './secret-files.js';
import { settingsTable, type SettingEntry, type SettingsValues } from './settings.table.js';

/** Stops a start. The message has one line per wrong setting, with its name. */
export class SettingsError extends Error {
  constructor(
    readonly lines: string[],
    cause?: unknown,
  ) {
    super(lines.join('\n'), { cause });
    this.name = 'SettingsError';
  }
}

/**
 * The settings of one server; a DI token. Read-only after start.
 *
 * @see settingsTable for the meaning, unit and default of each
 */
export abstract class Settings {}
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Settings extends Readonly<SettingsValues> {}

/** Facts that only the reference server has. */
export interface ServerFacts {
  /** The database behind `DATABASE_URL` was started along with this server by its launcher. */
  hasOwnDatabase?: boolean;
}

interface Reading {
  settings: SettingsValues;
  /** The names of settings that have a value of their own. */
  given: ReadonlySet<string>;
  wrong: string[];
}

const environments = ['production', 'development', 'test'];
const minSecretBytes = 32;
const developmentSecret = 'parley-development-secret-do-not-use-in-production';
/** Settings that went through all checks; read again, they are taken as they are. */
const checked = new WeakSet<object>();

function read(values: Record<string, unknown>, name: 'env' | 'key'): Reading {
  const wrong: string[] = [];
  const given = new Set<string>();
  const settings: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(settingsTable) as [string, SettingEntry<unknown>][]) {
    const raw = values[name === 'env' ? entry.env : key];
    if (raw === undefined || raw === '') {
      settings[key] = entry.default;
      continue;
    }
    const result = entry.check.safeParse(raw);
    if (result.success) settings[key] = result.data;
    else wrong.push(`${entry.env}: ${result.error.issues[0]?.message ?? 'is not valid'}`);
    if (result.success && result.data !== undefined) given.add(key);
  }
  return { settings: settings as unknown as SettingsValues, given, wrong };
}

function readEnvironment(env: NodeJS.ProcessEnv): Reading {
  const { values, wrong } = withSecretFiles(env);
  const reading = read(values, 'env');
  return { ...reading, wrong: [...wrong, ...reading.wrong] };
}

function crossChecks(settings: SettingsValues): string[] {
  const wrong: string[] = [];
  const isProduction = settings.nodeEnv === 'production';
  if (secretsOf(settings).some((secret) => Buffer.byteLength(secret) < minSecretBytes)) {
    wrong.push(
      `JWT_SECRET: must be ${minSecretBytes} bytes or more; one that contains a comma goes into JWT_SECRET_FILE`,
    );
  }
  if (isProduction && settings.jwtJwksUrl !== undefined) {
    for (const [key, env] of [
      ['jwtIssuer', 'JWT_ISSUER'],
      ['jwtAudience', 'JWT_AUDIENCE'],
    ] as const) {
      if (settings[key] === undefined) wrong.push(`${env}: is required with JWT_JWKS_URL under NODE_ENV=production`);
    }
  }
  if (isProduction && settings.databaseUrl === undefined) {
    wrong.push('DATABASE_URL: is required under NODE_ENV=production');
  }
  if (isProduction && settings.redisUrl === undefined) {
    wrong.push('REDIS_URL: is required under NODE_ENV=production');
  }
  if (settings.maxTransportBytes < settings.maxPacketBytes) {
    wrong.push('MAX_TRANSPORT_BYTES: must not be below MAX_PACKET_BYTES');
  }
  if (settings.opsPort !== 0 && settings.opsPort === settings.port) wrong.push('OPS_PORT: must not be PORT');
  return wrong;
}

/** One line for each setting: the first one that names it, or the file that holds it. */
function withFurther(wrong: readonly string[], further: readonly string[]): string[] {
  const nameIn = (line: string) => line.split(':', 1)[0]!.replace(/_FILE$/, '');
  const lines = new Map<string, string>();
  for (const line of [...wrong, ...further]) if (!lines.has(nameIn(line))) lines.set(nameIn(line), line);
  return [...lines.values()];
}

/**
 * Reports a use of the public development secret where it is not allowed. @returns at most one line
 */
function developmentSecretChecks(settings: SettingsValues, { hasOwnDatabase = false }: ServerFacts): string[] {
  if (!isDevelopmentSecretUsed(settings)) return [];
  const rule = 'is required (or JWT_JWKS_URL)';
  if (settings.nodeEnv === 'production') return [`JWT_SECRET: ${rule} under NODE_ENV=production`];
  if (settings.databaseUrl !== undefined && !hasOwnDatabase) {
    return [`JWT_SECRET: ${rule} with DATABASE_URL; the development secret opens only the embedded database`];
  }
  const exposed = [settings.host, ...(settings.opsPort === 0 ? [] : [settings.opsHost])].some(
    (host) => !isLoopback(host),
  );
  if (!exposed) return [];
  return [`JWT_SECRET: ${rule} where HOST or OPS_HOST is not loopback; others know the development secret`];
}

function isDevelopmentSecretUsed(settings: SettingsValues): boolean {
  if (settings.jwtJwksUrl !== undefined) return false;
  const secrets = secretsOf(settings);
  return secrets.length === 0 || secrets.includes(developmentSecret);
}

function isLoopback(host: string): boolean {
  const address = host.toLowerCase();
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Fills in the defaults that depend on other settings. */
function withDerivedDefaults({ settings, given }: Reading, defaultHost: string): SettingsValues {
  const isOpen = settings.nodeEnv !== 'production' || settings.opsPort !== 0;
  return {
    ...settings,
    host: given.has('host') ? settings.host : defaultHost,
    docsEnabled: given.has('docsEnabled') ? settings.docsEnabled : isOpen,
    metricsEnabled: given.has('metricsEnabled') ? settings.metricsEnabled : isOpen,
  };
}

// With a key set the secret is dropped, given or not: never one list of algorithms for both kinds
// of key.
function finish(settings: SettingsValues, secret: SettingsValues['jwtSecret'], wrong: string[]): Settings {
  if (wrong.length > 0) throw new SettingsError(wrong);
  const jwtSecret = settings.jwtJwksUrl === undefined ? secret : undefined;
  return complete({ ...settings, jwtSecret });
}

function complete(settings: SettingsValues): Settings {
  checked.add(settings);
  return Object.freeze(settings);
}

// An embedding application has its own environment names, so an unknown name gets the strictest
// rules.
function ofProgram(reading: Reading): Settings {
  const { nodeEnv } = reading.settings;
  reading.settings.nodeEnv = environments.includes(nodeEnv) ? nodeEnv : 'production';
  const settings = withDerivedDefaults(reading, settingsTable.host.default);
  const wrong = withFurther(reading.wrong, crossChecks(settings));
  if (secretsOf(settings).includes(developmentSecret)) {
    wrong.push('JWT_SECRET: the development secret belongs to the reference server alone');
  }
  return finish(settings, settings.jwtSecret, wrong);
}

/**
 * Reads the settings of the reference server from environment variables.
 *
 * Without a key of its own it signs with the development secret: on loopback, with the embedded
 * database, and never in production.
 *
 * @throws SettingsError one line per wrong or missing setting
 */
export function readServerSettings(env: NodeJS.ProcessEnv, facts: ServerFacts = {}): Settings {
  const reading = readEnvironment(env);
  if (!environments.includes(reading.settings.nodeEnv)) {
    throw new SettingsError([`NODE_ENV: must be one of ${environments.join(', ')}`]);
  }
  const isDevelopment = isDevelopmentSecretUsed(reading.settings);
  const settings = withDerivedDefaults(reading, isDevelopment ? 'localhost' : settingsTable.host.default);
  const further = [...crossChecks(settings), ...developmentSecretChecks(settings, facts)];
  const wrong = withFurther(reading.wrong, further);
  return finish(settings, settings.jwtSecret ?? developmentSecret, wrong);
}

/**
 * Reads the settings of an embedding application from environment variables. The development secret
 * is not among the defaults, and an unknown `NODE_ENV` counts as production.
 *
 * @throws SettingsError one line per wrong or missing setting
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return ofProgram(readEnvironment(env));
}

/**
 * Settings given by a program (`ParleyModule.forRoot`), checked like those of the environment.
 *
 * `nodeEnv` is by default that of the process, and counts as production when it is unknown. A
 * `jwtSecret` that is a text is one secret, also with commas.
 *
 * @throws SettingsError one line per wrong or missing setting
 */
export function makeSettings(values: Partial<SettingsValues> = {}): Settings {
  if (checked.has(values)) return values as Settings;
  return ofProgram(read({ nodeEnv: process.env['NODE_ENV'], ...defined(values) }, 'key'));
}

/** Checked settings with the addresses of services that were started along. */
export function withOwnServices(settings: Settings, found: { databaseUrl?: string; redisUrl?: string }): Settings {
  return complete({ ...settings, ...found });
}

/**
 * Secrets that verify tokens; the first one signs. Empty with a key set or another authenticator.
 */
export function secretsOf({ jwtSecret }: Pick<SettingsValues, 'jwtSecret'>): readonly string[] {
  return [jwtSecret ?? []].flat();
}

/** Whether tokens are signed with the public development secret. Such a server says so at start. */
export function usesDevelopmentSecret(settings: Settings): boolean {
  return secretsOf(settings).includes(developmentSecret);
}

function defined(values: Partial<SettingsValues>): Partial<SettingsValues> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

import { settingsTable, type SettingEntry, type SettingsValues } from './settings.table.js';

/** A start that must not go on: one line per wrong setting, each naming it. */
export class SettingsError extends Error {
  constructor(readonly lines: string[]) {
    super(lines.join('\n'));
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

const minSecretBytes = 32;
const developmentSecret = 'parley-development-secret-do-not-use-in-production';

function read(values: Record<string, unknown>, name: 'env' | 'key'): { settings: SettingsValues; wrong: string[] } {
  const wrong: string[] = [];
  const settings: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(settingsTable) as [string, SettingEntry<unknown>][]) {
    const raw = values[name === 'env' ? entry.env : key];
    if (raw === undefined || raw === '') {
      settings[key] = entry.default;
      continue;
    }
    const checked = entry.check.safeParse(raw);
    if (checked.success) settings[key] = checked.data;
    else wrong.push(`${entry.env}: ${checked.error.issues[0]?.message ?? 'is not valid'}`);
  }
  return { settings: settings as unknown as SettingsValues, wrong };
}

function crossChecks(settings: SettingsValues): string[] {
  const wrong: string[] = [];
  const isProduction = settings.nodeEnv === 'production';
  if (settings.jwtSecret !== undefined && Buffer.byteLength(settings.jwtSecret) < minSecretBytes) {
    wrong.push(`JWT_SECRET: must be ${minSecretBytes} bytes or more`);
  }
  if (isProduction && settings.jwtSecret === undefined && settings.jwtJwksUrl === undefined) {
    wrong.push('JWT_SECRET: is required under NODE_ENV=production (or JWT_JWKS_URL)');
  }
  if (isProduction && settings.jwtSecret === developmentSecret) {
    wrong.push('JWT_SECRET: the development secret is refused under NODE_ENV=production');
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
  return wrong;
}

// With a key set the secret is dropped, given or not: never one list of algorithms for both kinds
// of key.
function finish({ settings, wrong }: { settings: SettingsValues; wrong: string[] }): Settings {
  const lines = [...wrong, ...crossChecks(settings)];
  if (lines.length > 0) throw new SettingsError(lines);
  const secret = settings.jwtJwksUrl === undefined ? (settings.jwtSecret ?? developmentSecret) : undefined;
  return Object.freeze({ ...settings, jwtSecret: secret });
}

/**
 * Reads the settings from environment variables.
 *
 * @throws SettingsError one line per wrong or missing setting
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return finish(read(env, 'env'));
}

/**
 * Settings given by a program (`ParleyModule.forRoot`), checked like those of the environment.
 *
 * @throws SettingsError one line per wrong or missing setting
 */
export function makeSettings(values: Partial<SettingsValues> = {}): Settings {
  return finish(read(values, 'key'));
}

/** Whether tokens are signed with the secret everybody knows. Such a server says so at start. */
export function usesDevelopmentSecret(settings: Settings): boolean {
  return settings.jwtSecret === developmentSecret;
}

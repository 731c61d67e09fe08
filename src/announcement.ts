import { join } from 'node:path';
import { mintDevelopmentToken } from './auth/index.js';
import { NodeStartError } from './cluster/index.js';
import { mistypedSettings, SettingsError, usesDevelopmentSecret, type Settings } from './config/index.js';
import { EmbeddedServiceError } from './embedded/index.js';
import { ParleyLogger } from './ops/index.js';

/**
 * Prints the start message for the terminal once the server listens: its address, its services,
 * development tokens.
 *
 * @param settings complete
 * @param given as the environment gave them, without the services that were started
 * @param details further lines
 */
export async function announcement(
  settings: Settings,
  given: Settings,
  url: string,
  details: string[] = [],
): Promise<string> {
  const lines = [
    '',
    `  Parley listens on ${url}${documentsAt(settings, url)}`,
    ...details.map((line) => `  ${line}`),
    `  Postgres: ${given.databaseUrl === undefined ? `embedded, data in ${join(settings.dataDir, 'postgres')}` : 'DATABASE_URL'}`,
    `  Redis:    ${engineLine(settings, given)}`,
  ];
  if (settings.nodeEnv !== 'production' && usesDevelopmentSecret(settings)) {
    lines.push('', '  Development tokens (npm run token -- NAME mints more):');
    for (const name of ['alice', 'bob']) lines.push(`  ${name}: ${await mintDevelopmentToken(settings, name)}`);
  }
  return `${lines.join('\n')}\n\n`;
}

/** Logs a warning for each environment variable that looks like a mistyped setting. */
export function warnOfMistypedSettings(settings: Settings): void {
  const logger = new ParleyLogger(settings);
  for (const line of mistypedSettings(process.env)) logger.warn(line, 'Settings');
}

/** The cause of a failed start: one line if the operator can correct it. */
export function explanation(error: unknown): string {
  const plain = [SettingsError, EmbeddedServiceError, NodeStartError];
  if (plain.some((type) => error instanceof type)) return (error as Error).message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function documentsAt({ docsEnabled, opsPort, opsHost }: Settings, url: string): string {
  if (!docsEnabled) return '';
  return ` (API documents: ${opsPort === 0 ? url : `port ${opsPort} of ${opsHost}`}${opsPort === 0 ? '/docs' : ', /docs'})`;
}

function engineLine(settings: Settings, given: Settings): string {
  if (given.redisUrl !== undefined) return 'REDIS_URL';
  if (settings.redisUrl !== undefined) return 'private, from the redis-server on the PATH';
  return 'none found: ephemeral state is in memory, for this one process only';
}

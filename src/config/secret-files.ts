import { readFileSync } from 'node:fs';
import { settingsTable, type SettingEntry } from './settings.table.js';

export interface SecretValues {
  /** Environment in which each file name is replaced by the secret of that file. */
  values: Record<string, unknown>;
  wrong: string[];
}

/**
 * Reads the files of `…_FILE` variables into their settings, and splits lists of secrets.
 *
 * @returns the environment, and one line for each file that cannot be used
 */
export function withSecretFiles(env: NodeJS.ProcessEnv): SecretValues {
  const values: Record<string, unknown> = { ...env };
  const wrong: string[] = [];
  for (const entry of Object.values(settingsTable) as SettingEntry<unknown>[]) {
    if (entry.secret === undefined) continue;
    const [text, file] = [env[entry.env], env[`${entry.env}_FILE`]];
    if (isSet(file)) {
      try {
        if (isSet(text)) throw new Error(`is set, and so is ${entry.env}: set one of them`);
        values[entry.env] = secretsInFile(file, entry);
      } catch (error) {
        wrong.push(`${entry.env}_FILE: ${(error as Error).message}`);
        delete values[entry.env];
      }
    } else if (isSet(text) && entry.secret === 'several') {
      values[entry.env] = text.split(',').map((secret) => secret.trim());
    }
  }
  return { values, wrong };
}

/** Whether a variable is a file variant of a setting. */
export function isSecretFile(name: string): boolean {
  return Object.values(settingsTable as Record<string, SettingEntry<unknown>>).some(
    ({ env, secret }) => secret !== undefined && name === `${env}_FILE`,
  );
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function secretsInFile(path: string, { secret }: SettingEntry<unknown>): string | string[] {
  const lines = linesOf(path);
  if (lines.length === 0) throw new Error('names an empty file');
  if (secret === 'several') return lines;
  if (lines.length > 1) throw new Error('names a file with more than one line');
  return lines[0]!;
}

function linesOf(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`, { cause: error });
  }
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
}

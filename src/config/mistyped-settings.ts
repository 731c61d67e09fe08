import { isSecretFile } from './secret-files.js';
import { settingsTable } from './settings.table.js';

const names: readonly string[] = Object.values(settingsTable).map(({ env }) => env);
/** Beginnings that hardly any other program uses for its variables. */
const ownBeginnings =
  /^(JWT|CORS|OPS|RATE|HANDSHAKES?|PRESENCE|TYPING|OFFLINE_QUEUE|EDIT_WINDOW|DELETE_WINDOW|HEARTBEAT|REVOCATION|WEBHOOK|STREAM|ATTACHMENT)_/;
/** Variables that Docker and Kubernetes set for a service with such a name. */
const ofService = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP)(_|$)|$)|_ENV_/;

/**
 * Variables of an environment that look like mistyped settings: one line each, for a warning.
 *
 * A name counts as mistyped if it is almost the name of a setting, or differs only in case. So does
 * a name with a beginning that only settings of this server have. Other variables belong to other
 * programs.
 */
export function mistypedSettings(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((name) => !names.includes(name) && !isSecretFile(name))
    .flatMap((name) => complaint(name) ?? []);
}

function complaint(name: string): string | null {
  const wanted = name.toUpperCase();
  if (names.includes(wanted) || isSecretFile(wanted)) return `${name}: is not a setting; did you mean ${wanted}?`;
  const bare = names.find((known) => wanted === `PARLEY_${known}` && !ofService.test(wanted));
  const likely = bare ?? nearest(wanted);
  if (likely !== undefined) return `${name}: is not a setting; did you mean ${likely}?`;
  const ofNoSecret = names.find((known) => wanted === `${known}_FILE`);
  if (ofNoSecret !== undefined) return `${name}: is not a setting; ${ofNoSecret} has no variant in a file`;
  if (!ownBeginnings.test(wanted) || ofService.test(wanted)) return null;
  return `${name}: is not a setting, and has no effect; docs/settings.md lists them`;
}

function nearest(name: string): string | undefined {
  const bare = name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : name;
  return names
    .map((known) => ({ known, distance: distance(bare, known) }))
    .filter(({ known, distance }) => distance > 0 && distance <= allowedFor(known))
    .sort((one, other) => one.distance - other.distance)[0]?.known;
}

// Short names are near to many others.
function allowedFor({ length }: string): number {
  if (length <= 8) return 1;
  return length <= 12 ? 2 : 3;
}

/** Number of insertions, deletions, replacements and swaps of neighbours between two texts. */
function distance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 3) return Infinity;
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[from.length]![to.length]!;
}

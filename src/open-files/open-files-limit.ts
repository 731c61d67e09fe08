// Node opens some 600 files at once while it loads the server. Each socket takes one, as does each
// connection to Postgres.
const leastOpenFiles = 1_024;

/** Advice for an operator whose limit is too small. */
export const openFilesAdvice =
  'raise it with `ulimit -n 65536` in the shell, LimitNOFILE= in systemd, or --ulimit nofile=65536:65536 in Docker';

interface Limits {
  userLimits?: { open_files?: { soft: number | string } };
}

/**
 * How many files this process may have open; Infinity where the system does not say or sets no
 * limit.
 */
export function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as Limits;
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}

/** Why the server cannot start under this limit, in one line; null: it can. */
export function refusalOfOpenFiles(limit: number = openFilesLimit()): string | null {
  if (limit >= leastOpenFiles) return null;
  return `The limit of open files is ${limit}; the server needs at least ${leastOpenFiles}: ${openFilesAdvice}`;
}

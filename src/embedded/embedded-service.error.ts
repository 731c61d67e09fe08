/**
 * An embedded service that cannot run here. The message is one line for the person at the terminal.
 */
export class EmbeddedServiceError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message.replace(/\s*\n\s*/g, ' ').trim(), { cause });
    this.name = 'EmbeddedServiceError';
  }
}

const plainWords: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file',
};

// As containers have it that run under any user id.
const namelessUser =
  'initdb needs a name for the user id of this process; add one to /etc/passwd (useradd --uid), start under an id that has one (--user), or set DATABASE_URL';

/** Picks from what a program printed the one line that says why it gave up. */
export function tellingLine(output: string): string {
  if (/no space left|free disk space/i.test(output)) return plainWords['ENOSPC']!;
  if (/could not look up effective user/i.test(output)) return namelessUser;
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /FATAL|PANIC|could not|error/i.test(line)) ?? lines.at(-1) ?? 'it printed nothing';
}

/** Makes any failure a single line that names the directory concerned. */
export function asEmbeddedServiceError(error: unknown, what: string): EmbeddedServiceError {
  if (error instanceof EmbeddedServiceError) return error;
  const { code, message, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
  const reason = (code && plainWords[code]) || (stderr ? tellingLine(stderr) : message);
  return new EmbeddedServiceError(`${what}: ${reason}`, error);
}

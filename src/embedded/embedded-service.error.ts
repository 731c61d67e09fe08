/** An embedded service that cannot run here. The message is one line for the person at the terminal. */
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

/** Makes any failure a single line that names the directory concerned. */
export function asEmbeddedServiceError(error: unknown, what: string): EmbeddedServiceError {
  if (error instanceof EmbeddedServiceError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new EmbeddedServiceError(`${what}: ${(code && plainWords[code]) ?? message}`, error);
}

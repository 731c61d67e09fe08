const secretNames = [
  'authorization',
  'cookie',
  'token',
  'jwtSecret',
  'password',
  'body',
  'content',
  'payload',
  'query',
  'parameters',
];

/** Paths pino blanks, at the top of a line and one or two levels below. */
export const redactedPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

// JWTs, and passwords in URLs. Error messages of libraries may contain them.
const tokenPattern = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const urlPasswordPattern = /(\b[a-z]+:\/\/[^\s:@/"]*:)[^\s@/"]+@/g;

/** Takes tokens and passwords out of a finished line. */
export function scrubbed(line: string): string {
  return line.replace(tokenPattern, '[token]').replace(urlPasswordPattern, '$1***@');
}

interface LoggedError {
  type: string;
  message: string;
  stack?: string;
  code?: unknown;
  cause?: LoggedError;
}

/**
 * The parts of an error that a log line contains. The other properties stay out: drivers put
 * statements, parameters and row values there.
 */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'something other than an Error was thrown' };
  return {
    type: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...('code' in error ? { code: error.code } : {}),
    ...(error.cause !== undefined && depth < 3 ? { cause: loggedError(error.cause, depth + 1) } : {}),
  };
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ChatError, type ErrorDetail } from './chat-error.js';
import { errorCodeEntry } from './error-codes.js';

/** One fault of a request, as the OpenAPI document shows it. */
class ProblemDetail implements ErrorDetail {
  @ApiProperty({ description: 'Where: `content.text`', example: 'title' })
  path!: string;

  @ApiProperty({ description: 'What would have been right', example: 'must be a string' })
  message!: string;
}

/** The REST answer to a failure: RFC 9457 problem details with the contract's code (section 2). */
export class ProblemDetails {
  @ApiProperty({ example: 'about:blank' })
  type!: string;

  @ApiProperty({ description: 'The same for every answer with this code', example: 'The payload is not valid' })
  title!: string;

  @ApiProperty({ example: 400 })
  status!: number;

  @ApiProperty({ description: 'About this one', example: 'The payload is not valid' })
  detail!: string;

  @ApiProperty({ example: 'VALIDATION_FAILED' })
  code!: string;

  @ApiProperty({ description: 'Whether the same request may simply be sent again', example: false })
  retryable!: boolean;

  @ApiPropertyOptional({
    description: 'Milliseconds; the header `Retry-After` says the same in seconds',
    example: 1000,
  })
  retryAfterMs?: number;

  @ApiPropertyOptional({ type: [ProblemDetail] })
  details?: ErrorDetail[];

  @ApiProperty({ description: 'Also in the header `X-Request-Id` and in the log' })
  requestId!: string;
}

// The contract's codes for errors of Nest and the body parser, which have only a status.
const codesByStatus: Record<number, ConstructorParameters<typeof ChatError>[0]> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'RATE_LIMITED',
  503: 'UNAVAILABLE',
};

// For a request that fails before it has a payload, so the path is empty.
const unreadable: ErrorDetail = { path: '', message: 'must be a well-formed request with a JSON object for a body' };

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  const { status, statusCode, getStatus } = error as { status?: unknown; statusCode?: unknown; getStatus?: unknown };
  const found: unknown = typeof getStatus === 'function' ? getStatus.call(error) : (statusCode ?? status);
  return typeof found === 'number' ? found : 500;
}

/**
 * Any error thrown while a request was handled, as one that may reach the client.
 *
 * Nest's own exceptions and the body parser's keep their meaning and lose their text: it may quote
 * the request. All that is not known to be the client's doing is `INTERNAL`.
 */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  const status = statusOf(error);
  const code = codesByStatus[status] ?? (status >= 400 && status < 500 ? 'VALIDATION_FAILED' : 'INTERNAL');
  return new ChatError(code, { cause: error, ...(code === 'VALIDATION_FAILED' ? { details: [unreadable] } : {}) });
}

/** The answer's body for an error. */
export function problemDetailsOf(error: ChatError, requestId: string): ProblemDetails {
  const { code, message, ...rest } = error.toBody(requestId);
  const { status, title } = errorCodeEntry(code);
  return { type: 'about:blank', title, status, detail: message, code, ...rest };
}

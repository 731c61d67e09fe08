import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { errorCodeEntry, type ErrorCode } from './error-codes.js';
import { ProblemDetails } from './problem-details.js';

function describe(codes: ErrorCode[]): string {
  return codes.map((code) => `\`${code}\`: ${errorCodeEntry(code).title}`).join('; ');
}

/**
 * Adds the error codes of a route, or of every route of a controller, to the OpenAPI document.
 *
 * Leave out 401, 429, 500 and 503: every route may answer with them.
 */
export function ApiErrors(...codes: ErrorCode[]): ClassDecorator & MethodDecorator {
  const statuses = [...new Set(codes.map((code) => errorCodeEntry(code).status))];
  return applyDecorators(
    ApiExtraModels(ProblemDetails),
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: describe(codes.filter((code) => errorCodeEntry(code).status === status)),
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDetails) } } },
      }),
    ),
  );
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { invalid } from './chat-error.js';
import { assertHarmlessPayload } from './payload.js';
import { PayloadLimits } from './payload-limits.js';

/**
 * Refuses a harmful query or body ({@link assertHarmlessPayload}). Refuses any query or body where
 * the route declares none, because no DTO refuses its properties there. An empty body (`{}`) counts
 * as none.
 *
 * @throws ChatError VALIDATION_FAILED
 */
@Injectable()
export class DeclaredInputGuard implements CanActivate {
  constructor(private readonly limits: PayloadLimits) {}

  canActivate(context: ExecutionContext): boolean {
    const declared = declaredInputs(context);
    const { query, body } = context.switchToHttp().getRequest<{ query: unknown; body: unknown }>();
    assertHarmlessPayload(query);
    assertHarmlessPayload(body, this.limits.maxContentKeys);
    if (!declared.has(RouteParamtypes.QUERY)) assertEmpty(query);
    if (!declared.has(RouteParamtypes.BODY)) assertEmpty(body);
    return true;
  }
}

/** The inputs that the handler's parameter decorators read. */
function declaredInputs(context: ExecutionContext): Set<number> {
  const { name } = context.getHandler();
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), name) ?? {}) as Record<string, unknown>;
  return new Set(Object.keys(args).map((key) => Number(key.split(':')[0])));
}

function assertEmpty(input: unknown): void {
  const [name] = Object.keys(input ?? {});
  if (name !== undefined) throw invalid(name.slice(0, 200), 'is not a property of this request');
}

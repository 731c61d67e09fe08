import { SetMetadata, type ExecutionContext } from '@nestjs/common';

const publicKey = 'parley:public';
const scopeKey = 'parley:scope';

/** Opens a REST route, or all of a controller, to callers without a token. Does nothing on a gateway. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(publicKey, true);

/** Asks for a scope of the token, on a route, an event, a controller or a gateway; without it: `FORBIDDEN`. */
export const RequireScope = (scope: string): MethodDecorator & ClassDecorator => SetMetadata(scopeKey, scope);

/** Whether a route is open; what stands on the method goes before what stands on the class. */
export function isPublic(context: ExecutionContext): boolean {
  return metadataOf<boolean>(publicKey, context) ?? false;
}

/** The scope a route or event asks for. */
export function requiredScope(context: ExecutionContext): string | undefined {
  return metadataOf<string>(scopeKey, context);
}

// Not Nest's Reflector: its `getAllAndOverride` makes two arrays, and this runs for every event.
function metadataOf<T>(key: string, context: ExecutionContext): T | undefined {
  return (Reflect.getMetadata(key, context.getHandler()) ?? Reflect.getMetadata(key, context.getClass())) as
    T | undefined;
}

import { SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { SettingsValues } from '../config/index.js';

const publicKey = 'parley:public';
const scopeKey = 'parley:scope';
const ephemeralKey = 'parley:ephemeral';

/**
 * Opens a REST route, or all of a controller, to callers without a token. Does nothing on a
 * gateway.
 */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(publicKey, true);

/**
 * Asks for a scope of the token, on a route, an event, a controller or a gateway; without it:
 * `FORBIDDEN`.
 *
 * @param scope `admin`, `service` and `moderator` stand for the names that `ADMIN_SCOPE`,
 *   `SERVICE_SCOPE` and `MODERATOR_SCOPE` give them; any other is the scope itself
 */
export const RequireScope = (scope: string): MethodDecorator & ClassDecorator => SetMetadata(scopeKey, scope);

/**
 * Says that an event, or all of a gateway, neither stores nor reads what must survive: presence,
 * typing and the like. Such an event is served also while the server cannot know in time what was
 * revoked; every other is `UNAVAILABLE` then. Does nothing on a REST route.
 */
export const Ephemeral = (): MethodDecorator & ClassDecorator => SetMetadata(ephemeralKey, true);

/** Whether an event is {@link Ephemeral}. */
export function isEphemeral(context: ExecutionContext): boolean {
  return marksOf(context).isEphemeral;
}

/** Whether a route is open; what stands on the method goes before what stands on the class. */
export function isPublic(context: ExecutionContext): boolean {
  return marksOf(context).isPublic;
}

/** The scope a route or event asks for. */
export function requiredScope(context: ExecutionContext): string | undefined {
  return marksOf(context).scope;
}

/** The name a deployment has for a scope. */
export function scopeName(
  scope: string,
  { adminScope, serviceScope, moderatorScope }: Pick<SettingsValues, 'adminScope' | 'serviceScope' | 'moderatorScope'>,
): string {
  if (scope === 'admin') return adminScope;
  if (scope === 'service') return serviceScope;
  return scope === 'moderator' ? moderatorScope : scope;
}

interface Marks {
  isPublic: boolean;
  isEphemeral: boolean;
  scope: string | undefined;
}

// By class and method, since a method may be inherited. Looking metadata up costs 4 us, and this
// runs for every event.
const known = new WeakMap<object, WeakMap<object, Marks>>();

function marksOf(context: ExecutionContext): Marks {
  const [owner, handler] = [context.getClass(), context.getHandler()];
  const ofOwner = known.get(owner) ?? new WeakMap<object, Marks>();
  known.set(owner, ofOwner);
  let marks = ofOwner.get(handler);
  if (!marks) {
    const read = <T>(key: string): T | undefined =>
      (Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, owner)) as T | undefined;
    marks = {
      isPublic: read<boolean>(publicKey) ?? false,
      isEphemeral: read<boolean>(ephemeralKey) ?? false,
      scope: read<string>(scopeKey),
    };
    ofOwner.set(handler, marks);
  }
  return marks;
}

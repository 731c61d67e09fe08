import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Actor } from './actor.js';
import { actorOf } from './actor-of.js';

/**
 * Parameter decorator: the {@link Actor} of a REST route or a gateway handler. There is always one,
 * since the guards let nobody through without; only in a `@Public()` route it is undefined.
 */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor | undefined =>
  actorOf(context),
);

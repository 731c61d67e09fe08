import { Injectable, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ConnectionHooks } from '../realtime/index.js';
import { UserDirectory } from './user-directory.js';

/**
 * Creates users at first sight (contract, section 9): during the handshake of a socket, and before
 * a REST route runs.
 *
 * A guard, since it must follow the guard that finds the actor (this module is imported after
 * auth's) and cost events nothing: they come from sockets whose handshake has passed here. It lets
 * everybody through.
 */
@Injectable()
export class FirstSight implements CanActivate, OnModuleInit {
  constructor(
    private readonly users: UserDirectory,
    private readonly hooks: ConnectionHooks,
  ) {}

  onModuleInit(): void {
    this.hooks.register({ beforeConnect: ({ userId }) => this.users.ensure(userId) });
  }

  /** @throws ChatError UNAVAILABLE */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const { actor } = context.switchToHttp().getRequest<{ actor?: Actor }>();
    if (!actor || this.users.isKnown(actor.userId)) return true;
    return this.users.ensure(actor.userId).then(() => true);
  }
}

import type { ExecutionContext } from '@nestjs/common';
import type { Actor } from './actor.js';

interface ActorCarrier {
  actor?: Actor;
}

interface SocketCarrier {
  data?: ActorCarrier;
}

/**
 * Who acts in a handler: over REST what the guard found, on a socket the view of this event (third
 * argument of the handler) or else the connection's actor.
 */
export function actorOf(context: ExecutionContext): Actor | undefined {
  if (context.getType() === 'http') return context.switchToHttp().getRequest<ActorCarrier>().actor;
  const call = context.getArgByIndex<ActorCarrier | undefined>(2);
  return call?.actor ?? context.getArgByIndex<SocketCarrier | undefined>(0)?.data?.actor;
}

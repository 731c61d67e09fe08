import { applyDecorators, SetMetadata, UseFilters, UsePipes } from '@nestjs/common';
import { WebSocketGateway, type GatewayMetadata } from '@nestjs/websockets';
import { EventPipe } from './event.pipe.js';
import { WsErrorFilter } from './ws-error.filter.js';

/** Marks a gateway that answers in the envelope; the boot fails for one without it. */
export const chatGatewayMetadata = 'parley:chat-gateway';
/** Marks handlers whose events are taken in the order one socket sent them. */
export const inArrivalOrderMetadata = 'parley:in-arrival-order';

/**
 * A gateway inside the envelope: payloads validated, every failure answered with a code.
 *
 * Each handler takes one DTO and returns `ok(data)`. Guarding needs no decorator: `WsJwtGuard` is
 * global.
 *
 * @example
 * ```ts
 * @ChatGateway()
 * export class PollGateway {
 *   @SubscribeMessage('create-poll')
 *   async createPoll(@CurrentActor() actor: Actor, @MessageBody() dto: CreatePollDto): Promise<Ack<Poll>> {
 *     return ok(await this.polls.create(actor, dto));
 *   }
 * }
 * ```
 */
export function ChatGateway(options: Pick<GatewayMetadata, 'namespace'> = {}): ClassDecorator {
  return applyDecorators(
    WebSocketGateway(options),
    UseFilters(WsErrorFilter),
    UsePipes(EventPipe),
    SetMetadata(chatGatewayMetadata, true),
  );
}

/**
 * The handler's events get a turn in the order of their arrival at the socket (`actor.turn`), which
 * the service takes where the order matters.
 */
export function InArrivalOrder(): MethodDecorator {
  return SetMetadata(inArrivalOrderMetadata, true);
}

import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { declaredCost, type CostOf } from '../common/index.js';
import { chatGatewayMetadata, inArrivalOrderMetadata } from './chat-gateway.decorator.js';
import { EventDispatcher } from './event-dispatcher.js';

// Nest's own keys (packages/websockets/constants.ts); stable since version 7.
const gatewayMetadata = 'websockets:is_gateway';
const messageMetadata = 'message';

/** One event a gateway handles. */
export interface GatewayEvent {
  event: string;
  gateway: string;
  method: string;
  inArrivalOrder: boolean;
  costOf: CostOf | undefined;
}

/**
 * Looks at every gateway once at start: one outside the envelope (no `@ChatGateway()`) stops the
 * boot, since its errors would echo payloads and its acks could stay open for ever. So does an
 * event that two gateways handle.
 */
@Injectable()
export class GatewayAudit implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly dispatcher: EventDispatcher,
  ) {}

  onApplicationBootstrap(): void {
    const events = this.events();
    assertUnique(events);
    this.dispatcher.useTraits(new Map(events.map((event) => [event.event, event])));
  }

  /** Every event of every gateway. @throws Error naming a gateway that lacks `@ChatGateway()` */
  events(): GatewayEvent[] {
    return this.discovery.getProviders().flatMap(({ instance, metatype }) => {
      if (!metatype || !instance || !Reflect.hasMetadata(gatewayMetadata, metatype)) return [];
      if (!Reflect.hasMetadata(chatGatewayMetadata, metatype)) {
        throw new Error(`${metatype.name}: a gateway must be declared with @ChatGateway(), not @WebSocketGateway()`);
      }
      return this.eventsOf(instance as Record<string, () => unknown>, metatype.name);
    });
  }

  private eventsOf(instance: Record<string, () => unknown>, gateway: string): GatewayEvent[] {
    return this.scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object).flatMap((method) => {
      const handler = instance[method]!;
      const event = Reflect.getMetadata(messageMetadata, handler) as string | undefined;
      if (event === undefined) return [];
      const inArrivalOrder = Reflect.hasMetadata(inArrivalOrderMetadata, handler);
      return [{ event, gateway, method, inArrivalOrder, costOf: declaredCost(handler) }];
    });
  }
}

function assertUnique(events: GatewayEvent[]): void {
  const owners = new Map<string, string>();
  for (const { event, gateway } of events) {
    const other = owners.get(event);
    if (other !== undefined) throw new Error(`${gateway}: ${event} is handled by ${other} already`);
    owners.set(event, gateway);
  }
}

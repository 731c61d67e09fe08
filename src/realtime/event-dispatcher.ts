import { Injectable, Logger } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Namespace, Socket } from 'socket.io';
import { Actor, logRefusal } from '../auth/index.js';
import {
  assertHarmlessPayload,
  ChatError,
  Clock,
  invalid,
  newRandomId,
  TokenBucket,
  type CostOf,
} from '../common/index.js';
import { Settings } from '../config/index.js';
import { AbuseWatch } from './abuse.js';
import { addressOf } from './address-of.js';
import { EventMetrics } from './event-metrics.js';
import { isAck, ok, type Ack } from './ack.js';
import { OversizePayload } from './bounded-parser.js';
import type { Connection } from './connection.js';
import { Deadlines } from './deadlines.js';
import { sharedHandlerOf, type SharedHandler } from './direct-handlers.js';
import { EventCall } from './event-call.js';
import { takePackets } from './packet-taker.js';

/**
 * A gateway's handler as Nest hands it to the adapter: guards, pipes and the method behind one
 * function.
 */
export type EventHandler = (payload: unknown, call: EventCall) => unknown;

/** What is special about an event. */
export interface EventTraits {
  /** Whether it gets a turn in the order of arrival. */
  inArrivalOrder: boolean;
  /** Its cost in units; left out: 1. */
  costOf: CostOf | undefined;
}

// For the access log. What is wrong with a payload is not among them.
const refusals = ['FORBIDDEN', 'UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'] as const;
type RefusalCode = (typeof refusals)[number];

type AckCallback = (answer: Ack<unknown>) => void;

interface Line {
  /** Of all sockets of the namespace. */
  shared: Map<string, SharedHandler>;
  /** Of this socket alone; null: none. */
  own: Map<string, EventHandler> | null;
  budget: TokenBucket;
  abuse: AbuseWatch;
  inFlight: number;
  /** Set when the node drains: called when the socket's last event is answered. */
  finished: (() => void) | null;
}

/**
 * Takes every packet of every socket, decides whether it may go on to a gateway, and sees that it
 * is answered once.
 *
 * Guarantees: each event is answered by its ack callback or, on failure without one, by `error`;
 * within `EVENT_TIMEOUT_MS`, else `UNAVAILABLE`; and no payload can end the process. Refused here,
 * before anything expensive: floods (who persists is disconnected), more than one payload argument,
 * harmful payloads, unknown events.
 */
@Injectable()
export class EventDispatcher {
  private readonly logger = new Logger(EventDispatcher.name);
  private readonly lines = new WeakMap<Socket, Line>();
  private readonly sharedHandlers = new WeakMap<Namespace, Line['shared']>();
  private readonly deadlines: Deadlines<EventCall>;
  private traits: ReadonlyMap<string, EventTraits> = new Map();

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly metrics: EventMetrics,
  ) {
    this.deadlines = new Deadlines(settings.eventTimeoutMs, giveUp);
  }

  /** What is special about events, by name; told by the gateway audit. */
  useTraits(traits: ReadonlyMap<string, EventTraits>): void {
    this.traits = traits;
  }

  /** Adds a gateway's handlers to a socket; the first call takes over the socket's packets. */
  bind(socket: Socket, handlers: { message: string; callback: EventHandler }[]): void {
    const line = this.lines.get(socket) ?? this.open(socket);
    for (const { message, callback } of handlers) {
      const shared = sharedHandlerOf(callback);
      if (shared) line.shared.set(message, shared);
      else (line.own ??= new Map()).set(message, callback);
    }
  }

  /**
   * Takes no more events of a socket (`UNAVAILABLE`), and resolves when those it has taken are
   * answered.
   */
  finish(socket: Socket): Promise<void> {
    const line = this.lines.get(socket);
    if (!line) return Promise.resolve();
    return new Promise((resolve) => {
      line.finished = resolve;
      if (line.inFlight === 0) resolve();
    });
  }

  private open(socket: Socket): Line {
    const { rateEventsPerSecond, rateEventsBurst } = this.settings;
    const budget = new TokenBucket(rateEventsPerSecond, rateEventsBurst, this.clock.now());
    const abuse = new AbuseWatch(rateEventsBurst);
    const shared = this.sharedHandlersOf(socket.nsp);
    const line: Line = { shared, own: null, budget, abuse, inFlight: 0, finished: null };
    this.lines.set(socket, line);
    takePackets(socket, this.settings.directHandlers, (packet) => this.dispatch(socket, line, packet));
    socket.on('error', () => undefined);
    return line;
  }

  private sharedHandlersOf(namespace: Namespace): Line['shared'] {
    const known = this.sharedHandlers.get(namespace) ?? new Map<string, SharedHandler>();
    this.sharedHandlers.set(namespace, known);
    return known;
  }

  private dispatch(socket: Socket, line: Line, packet: unknown[]): void {
    // It has said goodbye: what came behind that in the same write is not carried out.
    if (!socket.connected) return;
    const ack = typeof packet.at(-1) === 'function' ? (packet.pop() as AckCallback) : undefined;
    const traits = this.traits.get(packet[0] as string);
    const call = this.callOf(socket, String(packet[0]), ack, line, traits?.inArrivalOrder);
    try {
      this.charge(socket, line, traits?.costOf?.(packet[1], this.settings));
      const payload = this.admit(packet, line);
      const handler = handlerOf(socket, line, call.event);
      if (!handler) throw new ChatError('UNKNOWN_EVENT');
      void this.handle(handler, payload, call, line);
    } catch (error) {
      call.actor?.turn?.release();
      call.fail(error instanceof ChatError ? error : new ChatError('INTERNAL', { cause: error }));
    }
  }

  private callOf(
    socket: Socket,
    event: string,
    ack: AckCallback | undefined,
    line: Line,
    inArrivalOrder = false,
  ): EventCall {
    const { connection } = socket.data as { connection?: Connection };
    const name = line.shared.has(event) || line.own?.has(event) ? event : 'unknown';
    const startedMs = performance.now();
    return new EventCall(
      event.slice(0, 64),
      this.actorOf(socket, connection, inArrivalOrder),
      ack,
      (body) => socket.emit('error', body),
      (outcome, call) => {
        this.metrics.record(name, outcome, performance.now() - startedMs);
        if (isRefusal(outcome)) this.logRefusal(outcome, socket, call);
      },
    );
  }

  private logRefusal(code: RefusalCode, socket: Socket, { event, requestId, actor }: EventCall): void {
    const address = addressOf(socket, this.settings);
    logRefusal({ code }, { userId: actor?.userId ?? null, address, requestId, target: event });
  }

  private actorOf(socket: Socket, connection: Connection | undefined, inArrivalOrder: boolean): Actor | undefined {
    const { actor } = socket.data as { actor?: Actor };
    if (!actor || !connection || !inArrivalOrder) return actor;
    return actor.inTurn(connection.arrivals.take());
  }

  /** @throws ChatError RATE_LIMITED; a socket that does not heed it is disconnected */
  private charge(socket: Socket, line: Line, units?: number): void {
    const nowMs = this.clock.now();
    const waitMs = line.budget.take(nowMs, units);
    if (waitMs === 0) return;
    const error = new ChatError('RATE_LIMITED', { retryAfterMs: waitMs });
    if (line.abuse.refused(nowMs)) disconnectAbuser(socket, error);
    throw error;
  }

  /** @returns the payload. @throws ChatError when the packet may not go on */
  private admit(packet: unknown[], line: Line): unknown {
    if (line.finished) throw new ChatError('UNAVAILABLE', { message: 'The node is shutting down', retryAfterMs: 500 });
    if (packet[1] instanceof OversizePayload) throw new ChatError('PAYLOAD_TOO_LARGE');
    if (packet.length > 2) throw invalid('', 'an event takes one payload and an ack callback');
    assertHarmlessPayload(packet[1], this.settings.maxContentKeys);
    return packet[1];
  }

  private async handle(handler: EventHandler, payload: unknown, call: EventCall, line: Line): Promise<void> {
    line.inFlight += 1;
    this.deadlines.add(call);
    try {
      const result = await handler(payload, call);
      // An interceptor of the embedding application makes it an observable.
      const value: unknown = isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result;
      // A handler that failed was answered by its filter; then `value` is undefined and this does
      // nothing.
      call.answer(isAck(value) ? value : ok(value ?? {}));
    } catch (error) {
      this.logger.error(
        `${call.event}: an error came past the filter`,
        error instanceof Error ? error.stack : undefined,
      );
      call.fail(new ChatError('INTERNAL'));
    } finally {
      this.deadlines.delete(call);
      call.actor?.turn?.release();
      line.inFlight -= 1;
      if (line.inFlight === 0) line.finished?.();
    }
  }
}

function isRefusal(outcome: string): outcome is RefusalCode {
  return (refusals as readonly string[]).includes(outcome);
}

function handlerOf(socket: Socket, { shared, own }: Line, event: string): EventHandler | undefined {
  const handler = shared.get(event);
  return handler ? (payload, call) => handler(socket, payload, call) : own?.get(event);
}

/** The handler goes on: what comes of it, this socket is told as the others are. */
function giveUp(call: EventCall): void {
  call.actor?.turn?.giveUp();
  call.fail(new ChatError('UNAVAILABLE', { retryAfterMs: 1_000 }));
}

function disconnectAbuser(socket: Socket, error: ChatError): void {
  if (!socket.connected) return;
  socket.emit('error', error.toBody(newRandomId()));
  socket.disconnect(true);
}

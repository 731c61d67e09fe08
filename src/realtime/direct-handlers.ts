import type { CanActivate, ExecutionContext, PipeTransform } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ParamsTokenFactory } from '@nestjs/core/pipes/params-token-factory.js';
import { WsException } from '@nestjs/websockets';
import { WsContextCreator } from '@nestjs/websockets/context/ws-context-creator.js';
import { catchError, EMPTY, lastValueFrom, isObservable } from 'rxjs';
import type { Socket } from 'socket.io';
import { chatGatewayMetadata } from './chat-gateway.decorator.js';
import type { EventCall } from './event-call.js';

type Handler = (...args: unknown[]) => Promise<unknown>;
type Callback = (...args: unknown[]) => unknown;
type Place = [instance: object, callback: Callback, moduleKey: string, contextId?: unknown, inquirerId?: string];

/**
 * A handler that takes the socket as its first argument, and so serves all sockets of its gateway.
 */
export type SharedHandler = (socket: Socket, payload: unknown, call: EventCall) => Promise<unknown>;

interface Parameter {
  index: number;
  type: never;
  metatype?: never;
  data?: never;
  schema?: never;
  pipes: PipeTransform[];
  extractValue: (...args: unknown[]) => unknown;
}

interface EnhancersOf<T> {
  create(...place: Place): T[];
}

/** What this file uses of Nest's `WsContextCreator` beyond its types; the same since version 8. */
interface Creator {
  guardsContextCreator: EnhancersOf<CanActivate>;
  pipesContextCreator: EnhancersOf<PipeTransform>;
  interceptorsContextCreator: EnhancersOf<unknown>;
  exceptionFiltersContext: { create(...place: Place): { handle(error: unknown, host: ExecutionContextHost): void } };
  contextUtils: { mergeParamsMetatypes(parameters: Parameter[], types: unknown): Parameter[] };
  getMetadata(
    instance: object,
    method: string,
    type: 'ws',
  ): { argsLength: number; paramtypes: unknown; getParamsMetadata(moduleKey: string): Parameter[] };
  reflectCallbackPattern(callback: Callback): unknown;
}

type Create = (
  this: Creator,
  instance: object,
  callback: Callback,
  moduleKey: string,
  methodName: string,
  contextId?: { id: number },
  inquirerId?: string,
) => Handler;

interface BoundParameter {
  index: number;
  extract: Parameter['extractValue'];
  pipes: PipeTransform[];
  metadata: Parameters<PipeTransform['transform']>[1];
}

const prototype = WsContextCreator.prototype as unknown as { create: Create };
const plainCreate = prototype.create;
const tokens = new ParamsTokenFactory();
// Nest's id of what is not scoped to a request.
const staticContextId = 1;
const sharedHandler = Symbol('shared handler');

/**
 * What a handler does, as Nest hands it to the adapter: bound to one socket; for all sockets, where
 * there is such a thing.
 */
export function sharedHandlerOf(handler: object): SharedHandler | undefined {
  return (handler as { [sharedHandler]?: SharedHandler })[sharedHandler];
}

/**
 * Runs a gateway's guards, pipes and method in one function instead of eleven promises (ADR-0012).
 *
 * Guards, pipes, parameter decorators and filters are those that Nest finds for the handler, in
 * Nest's order; each may answer with a promise or an observable. Left to Nest: gateways without
 * `@ChatGateway()`, handlers with interceptors, and those scoped to a request.
 * `DIRECT_HANDLERS=false` leaves all to Nest. Counts for gateways registered from now on.
 *
 * Nest binds every handler to every socket. Who keeps {@link sharedHandlerOf} instead of that
 * spares an idle socket 2.7 KiB.
 */
export function useDirectHandlers(isOn: boolean): void {
  prototype.create = isOn ? createDirect : plainCreate;
}

const createDirect: Create = function (instance, callback, moduleKey, methodName, contextId, inquirerId) {
  const place: Place = [instance, callback, moduleKey, contextId, inquirerId];
  const isOurs = Reflect.hasMetadata(chatGatewayMetadata, instance.constructor);
  const isStatic = contextId === undefined || contextId.id === staticContextId;
  if (!isOurs || !isStatic || this.interceptorsContextCreator.create(...place).length > 0) {
    return plainCreate.call(this, instance, callback, moduleKey, methodName, contextId, inquirerId);
  }
  const guards = this.guardsContextCreator.create(...place);
  const { argsLength, parameters } = parametersOf(this, place, methodName);
  const filters = this.exceptionFiltersContext.create(...place);
  const pattern = this.reflectCallbackPattern(callback) ?? 'unknown';

  const fail = (error: unknown, args: unknown[]): void => {
    const host = new ExecutionContextHost(args);
    host.setType('ws');
    filters.handle(error, host);
  };

  return shared(async (...args) => {
    args.push(pattern);
    try {
      const passing = guards.length > 0 ? passGuards(guards, args, instance, callback) : undefined;
      if (passing) await passing;
      const values = parameters.length > 0 ? valuesOf(parameters, argsLength, args) : args;
      const result = await callback.apply(instance, Array.isArray(values) ? values : await values);
      if (!isObservable(result)) return result;
      return result.pipe(catchError((error: unknown) => (fail(error, args), EMPTY)));
    } catch (error) {
      return fail(error, args);
    }
  });
};

/** Lets what Nest binds to a socket name what it was made of. */
function shared(handler: Handler): Handler {
  const bind = (_gateway: object, socket: Socket): Handler =>
    Object.assign((...args: unknown[]) => handler(socket, ...args), { [sharedHandler]: handler });
  return Object.assign(handler, { bind });
}

function parametersOf(
  creator: Creator,
  place: Place,
  methodName: string,
): { argsLength: number; parameters: BoundParameter[] } {
  const [instance, , moduleKey] = place;
  const { argsLength, paramtypes, getParamsMetadata } = creator.getMetadata(instance, methodName, 'ws');
  const pipes = creator.pipesContextCreator.create(...place);
  const parameters = creator.contextUtils.mergeParamsMetatypes(getParamsMetadata(moduleKey), paramtypes);
  return {
    argsLength,
    parameters: parameters.map(({ index, type, metatype, data, schema, extractValue, pipes: own }) => ({
      index,
      extract: extractValue,
      pipes: [...pipes, ...own],
      metadata: { metatype, type: tokens.exchangeEnumForString(type), data, schema },
    })),
  };
}

/** @returns a promise only when a guard takes its time. @throws WsException when one says no */
function passGuards(
  guards: CanActivate[],
  args: unknown[],
  instance: object,
  callback: Callback,
  from = 0,
): Promise<void> | void {
  const context = new ExecutionContextHost(args, instance.constructor as never, callback) as ExecutionContext;
  (context as ExecutionContextHost).setType('ws');
  for (let i = from; i < guards.length; i++) {
    const verdict = guards[i]!.canActivate(context);
    if (verdict === true) continue;
    if (verdict === false) throw refusal();
    return settled(verdict).then((isLetThrough) => {
      if (!isLetThrough) throw refusal();
      return passGuards(guards, args, instance, callback, i + 1);
    });
  }
}

function refusal(): WsException {
  return new WsException('Forbidden resource');
}

async function settled(verdict: unknown): Promise<unknown> {
  const value = await verdict;
  return isObservable(value) ? lastValueFrom(value) : value;
}

/**
 * @returns the handler's arguments, or a promise of them when a pipe or a parameter decorator takes
 * its time
 */
function valuesOf(parameters: BoundParameter[], argsLength: number, args: unknown[]): unknown[] | Promise<unknown[]> {
  const values = new Array<unknown>(argsLength).fill(undefined);
  let isLate = false;
  for (const parameter of parameters) {
    const value = valueOf(parameter, args);
    values[parameter.index] = value;
    isLate ||= isThenable(value);
  }
  return isLate ? Promise.all(values) : values;
}

function valueOf({ extract, pipes, metadata }: BoundParameter, args: unknown[]): unknown {
  let value = extract(...args);
  for (const pipe of pipes) {
    value = isThenable(value)
      ? value.then((known) => pipe.transform(known, metadata) as unknown)
      : (pipe.transform(value, metadata) as unknown);
  }
  return value;
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

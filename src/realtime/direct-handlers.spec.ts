import {
  createParamDecorator,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
  type WebSocketAdapter,
  type WsMessageHandler,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { from, lastValueFrom, map, of, throwError, isObservable, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatError } from '../common/index.js';
import { ok, type Ack } from './ack.js';
import { ChatGateway } from './chat-gateway.decorator.js';
import { useDirectHandlers } from './direct-handlers.js';
import { EventCall } from './event-call.js';

class WordDto {
  @IsString()
  word!: string;
}

const heard: string[] = [];

function guard(name: string, verdict: () => ReturnType<CanActivate['canActivate']>): CanActivate {
  return {
    canActivate(context: ExecutionContext) {
      heard.push(`${name} ${context.getType()} ${context.getClass().name}.${context.getHandler().name}`);
      return verdict();
    },
  };
}

const shout: NestInterceptor = {
  intercept: (_, next) => next.handle().pipe(map(() => ok({ said: 'intercepted' }))),
};
const double: PipeTransform = {
  transform: (value: WordDto, { type }) => (type === 'body' ? { word: value.word + value.word } : value),
};
const slowly: PipeTransform = { transform: (value: unknown) => Promise.resolve(value) };
const Word = createParamDecorator((_, context: ExecutionContext) => context.switchToWs().getPattern());
const Later = createParamDecorator((name: string) => Promise.resolve(`later ${name}`));
const no = (): never => {
  throw new ChatError('UNAUTHENTICATED');
};

@ChatGateway()
@UseGuards(guard('class', () => true))
class WordGateway {
  private readonly suffix = '!';

  @SubscribeMessage('say')
  say(@MessageBody() dto: WordDto, @Word() event: string): Ack<{ said: string }> {
    return ok({ said: `${event} ${dto.word}${this.suffix}` });
  }

  @SubscribeMessage('say-late')
  @UsePipes(slowly, double)
  async sayLate(@Later('x') late: string, @MessageBody() dto: WordDto): Promise<Ack<{ said: string }>> {
    return Promise.resolve(ok({ said: `${late} ${dto.word}` }));
  }

  @SubscribeMessage('say-doubled')
  sayDoubled(@MessageBody(double) dto: WordDto): Ack<{ said: string }> {
    return ok({ said: dto.word });
  }

  @SubscribeMessage('guard-promise')
  @UseGuards(guard('promise', () => Promise.resolve(true)), guard('after', () => of(true)))
  passPromise(): Ack<object> {
    return ok({ said: 'passed' });
  }

  @SubscribeMessage('guard-false')
  @UseGuards(guard('false', () => false), guard('never', () => true))
  passFalse(): void {
    heard.push('handler');
  }

  @SubscribeMessage('guard-late-false')
  @UseGuards(guard('late', () => Promise.resolve(false)), guard('never', () => true))
  passLateFalse(): void {
    heard.push('handler');
  }

  @SubscribeMessage('guard-observable-false')
  @UseGuards(guard('observable', () => from([true, false])))
  passObservableFalse(): void {
    heard.push('handler');
  }

  @SubscribeMessage('guard-throws')
  @UseGuards(guard('throws', no))
  passThrows(): void {
    heard.push('handler');
  }

  @SubscribeMessage('throws')
  throws(): never {
    throw new ChatError('CONFLICT');
  }

  @SubscribeMessage('rejects')
  async rejects(): Promise<void> {
    return Promise.reject(new Error('a secret'));
  }

  @SubscribeMessage('observable')
  observable(): Observable<Ack<object>> {
    return of(ok({ said: 'observed' }));
  }

  @SubscribeMessage('observable-throws')
  observableThrows(): Observable<never> {
    return throwError(() => new ChatError('NOT_FOUND'));
  }

  @SubscribeMessage('intercepted')
  @UseInterceptors(shout)
  intercepted(): Ack<object> {
    return ok({ said: 'plain' });
  }
}

class WordModule {}
Reflect.defineMetadata('providers', [WordGateway], WordModule);

/** Keeps what Nest hands to an adapter: the functions this file is about. */
class HandlerKeeper implements WebSocketAdapter {
  readonly handlers = new Map<string, WsMessageHandler['callback']>();
  private connect: ((client: unknown) => void) | null = null;

  create(): unknown {
    return {};
  }
  bindClientConnect(_: unknown, callback: (client: unknown) => void): void {
    this.connect = callback;
  }
  bindMessageHandlers(_: unknown, handlers: WsMessageHandler[]): void {
    for (const { message, callback } of handlers) this.handlers.set(message, callback);
  }
  open(): void {
    this.connect!({ id: 'client' });
  }
  dispose(): void {
    this.connect = null;
  }
  close(): void {
    this.handlers.clear();
  }
}

describe.each([true, false])('a handler of a gateway, DIRECT_HANDLERS=%s', (isDirect) => {
  const adapter = new HandlerKeeper();
  let app: INestApplication;

  beforeAll(async () => {
    useDirectHandlers(isDirect);
    app = await NestFactory.create(WordModule, { logger: false });
    app.useWebSocketAdapter(adapter);
    app.useGlobalGuards(guard('global', () => true));
    await app.init();
    adapter.open();
  });

  afterAll(async () => {
    useDirectHandlers(false);
    await app.close();
  });

  async function answerOf(event: string, payload: unknown = {}): Promise<unknown> {
    heard.length = 0;
    const answers: unknown[] = [];
    const keep = (answer: unknown): void => void answers.push(answer);
    const call = new EventCall(event, undefined, keep, keep, () => undefined);
    const result: unknown = await adapter.handlers.get(event)!(payload, call);
    const value: unknown = isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result;
    return answers[0] ?? value;
  }

  const refused = (code: string): unknown => ({ ok: false, error: expect.objectContaining({ code }) as unknown });

  it('gets its payload validated, and its parameters', async () => {
    expect(await answerOf('say', { word: 'hi' })).toEqual(ok({ said: 'say hi!' }));
    expect(await answerOf('say', { word: 1 })).toEqual(refused('VALIDATION_FAILED'));
  });

  it('gets what pipes make of them, late ones too', async () => {
    expect(await answerOf('say-doubled', { word: 'hi' })).toEqual(ok({ said: 'hihi' }));
    expect(await answerOf('say-late', { word: 'hi' })).toEqual(ok({ said: 'later x hihi' }));
    expect(await answerOf('say-late', {})).toEqual(refused('VALIDATION_FAILED'));
  });

  it('runs after its guards, in their order', async () => {
    expect(await answerOf('guard-promise')).toEqual(ok({ said: 'passed' }));
    const place = 'ws WordGateway.passPromise';
    expect(heard).toEqual([`global ${place}`, `class ${place}`, `promise ${place}`, `after ${place}`]);
  });

  it.each([
    ['guard-false', 'FORBIDDEN', 'false ws WordGateway.passFalse'],
    ['guard-late-false', 'FORBIDDEN', 'late ws WordGateway.passLateFalse'],
    ['guard-observable-false', 'FORBIDDEN', 'observable ws WordGateway.passObservableFalse'],
    ['guard-throws', 'UNAUTHENTICATED', 'throws ws WordGateway.passThrows'],
  ])('does not run when a guard says no: %s', async (event, code, last) => {
    expect(await answerOf(event)).toEqual(refused(code));
    expect(heard.at(-1)).toBe(last);
  });

  it('answers what it throws', async () => {
    expect(await answerOf('throws')).toEqual(refused('CONFLICT'));
    expect(await answerOf('rejects')).toEqual(refused('INTERNAL'));
  });

  it('may answer with an observable', async () => {
    expect(await answerOf('observable')).toEqual(ok({ said: 'observed' }));
    expect(await answerOf('observable-throws')).toEqual(refused('NOT_FOUND'));
  });

  it('runs inside its interceptors', async () => {
    expect(await answerOf('intercepted')).toEqual(ok({ said: 'intercepted' }));
  });
});

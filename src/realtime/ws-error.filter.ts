import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { ChatError } from '../common/index.js';
import type { EventCall } from './event-call.js';

/**
 * Turns whatever a guard, pipe, interceptor or handler throws into the one answer of the envelope.
 *
 * Comes with `@ChatGateway()`, since global filters do not reach gateways. Only `ChatError` is
 * shown to the client; any other error is `INTERNAL` and is logged with its stack and the answer's
 * `requestId`.
 */
@Catch()
export class WsErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(WsErrorFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const call = host.getArgByIndex<EventCall>(2);
    call.fail(this.asChatError(error, call));
  }

  private asChatError(error: unknown, call: EventCall): ChatError {
    if (error instanceof ChatError) return error;
    // What foreign guards and pipes throw: the status is kept, the text is not.
    if (error instanceof HttpException && error.getStatus() < 500) {
      return new ChatError(error.getStatus() === 400 ? 'VALIDATION_FAILED' : 'FORBIDDEN');
    }
    if (error instanceof WsException) return new ChatError('FORBIDDEN');
    this.logger.error(
      { msg: 'an event handler failed', event: call.event, requestId: call.requestId },
      error instanceof Error ? error.stack : String(error),
    );
    return new ChatError('INTERNAL');
  }
}

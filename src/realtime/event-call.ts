import { ChatError, newRandomId, type ErrorBody } from '../common/index.js';
import type { Actor } from '../auth/index.js';
import type { Ack } from './ack.js';

type AckCallback = (answer: Ack<unknown>) => void;

/**
 * One client event on its way through guard, pipe and handler, and the one place where it is
 * answered.
 *
 * A gateway's error filter finds it as the third argument of the handler. It answers once, whoever
 * tries again.
 */
export class EventCall {
  private id: string | null = null;
  private answered = false;

  /**
   * @param actor who sent it, with this event's turn in the order of arrival
   * @param ack the client's callback, if it gave one
   * @param emitError sends an `error` event to this socket, for a client that gave no callback
   * @param onAnswered called once, with 'ok' or the error's code, and the call itself
   */
  constructor(
    readonly event: string,
    readonly actor: Actor | undefined,
    private readonly ack: AckCallback | undefined,
    private readonly emitError: (body: ErrorBody) => void,
    private readonly onAnswered: (outcome: string, call: EventCall) => void,
  ) {}

  /** Names this event in errors and logs. */
  get requestId(): string {
    this.id ??= newRandomId();
    return this.id;
  }

  get isAnswered(): boolean {
    return this.answered;
  }

  /** Answers with a handler's result. Without a callback a success is silent. */
  answer(result: Ack<unknown>): void {
    if (this.answered) return;
    if (!result.ok) return this.send(result.error);
    this.answered = true;
    this.onAnswered('ok', this);
    this.ack?.(result);
  }

  /** Answers with an error: by the callback, or as an `error` event. */
  fail(error: ChatError): void {
    if (!this.answered) this.send(error.toBody(this.requestId, this.event));
  }

  private send(error: ErrorBody): void {
    this.answered = true;
    this.onAnswered(error.code, this);
    if (this.ack) this.ack({ ok: false, error });
    else this.emitError(error);
  }
}

import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError } from '../common/index.js';

/** A message about to be stored: a send, or with `messageId` an edit. */
export interface MessageDraft {
  readonly conversationId: string;
  readonly senderId: string;
  readonly type: string;
  readonly content: Record<string, unknown>;
  readonly replyTo: string | null;
  readonly mentions: readonly string[];
  /** Set when an existing message is edited. */
  readonly messageId?: string;
}

/**
 * Undefined accepts the draft as it is; `content` replaces its content, which is then validated
 * again.
 */
export type InterceptorVerdict = void | { content: Record<string, unknown> };

/**
 * Looks at every message before it is committed: moderation, data-loss prevention, enrichment. A
 * seam.
 *
 * **When.** After guard, validation and access policy, before the database. For each send and each
 * edit, by socket and by REST. Not for deletions, reactions and receipts; a client's retry of a
 * committed send passes again, its verdict is then without effect (the first message is answered).
 * **Answers.** Nothing: accept. `{ content }`: replace. `throw new ChatError(code, …)`: reject; the
 * sender gets the code. **Failure.** Any other throw, and no answer within `timeoutMs`, rejects
 * with `UNAVAILABLE` (retryable): a message nobody could look at is not let through. Override
 * `onFailure` to let it through. **Several.** In the order of registration, each seeing what the
 * ones before made of the content.
 *
 * @example
 * ```ts
 * export class CardNumberInterceptor extends MessageInterceptor {
 *   override beforeCommit(draft: MessageDraft): InterceptorVerdict {
 *     if (/\d{16}/.test(JSON.stringify(draft.content))) throw new ChatError('ACME_CARD_NUMBER');
 *   }
 * }
 * ```
 * @since 0.1.0
 */
export abstract class MessageInterceptor {
  /** Milliseconds. */
  readonly timeoutMs: number = 1_000;
  readonly onFailure: 'reject' | 'accept' = 'reject';
  abstract beforeCommit(draft: MessageDraft, actor: Actor): InterceptorVerdict | Promise<InterceptorVerdict>;
}

/** Runs the interceptors over a draft. Costs nothing where there are none. */
@Injectable()
export class MessageInterceptors {
  private readonly logger = new Logger(MessageInterceptors.name);
  private readonly interceptors: MessageInterceptor[] = [];

  register(interceptor: MessageInterceptor): void {
    this.interceptors.push(interceptor);
  }

  get isEmpty(): boolean {
    return this.interceptors.length === 0;
  }

  /** @returns the content all of them agreed on. @throws ChatError the first rejection */
  async apply(draft: MessageDraft, actor: Actor): Promise<Record<string, unknown>> {
    let current = draft;
    for (const interceptor of this.interceptors) {
      const verdict = await this.ask(interceptor, current, actor);
      if (verdict) current = { ...current, content: verdict.content };
    }
    return current.content;
  }

  private async ask(interceptor: MessageInterceptor, draft: MessageDraft, actor: Actor): Promise<InterceptorVerdict> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no verdict within ${interceptor.timeoutMs} ms`)),
        interceptor.timeoutMs,
      );
    });
    try {
      return await Promise.race([(async () => interceptor.beforeCommit(draft, actor))(), late]);
    } catch (error) {
      if (error instanceof ChatError) throw error;
      this.logger.error(
        `${interceptor.constructor.name} failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      if (interceptor.onFailure === 'accept') return undefined;
      throw new ChatError('UNAVAILABLE', { message: 'A message interceptor gave no verdict', retryAfterMs: 1_000 });
    } finally {
      clearTimeout(timer);
    }
  }
}

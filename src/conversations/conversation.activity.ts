import { Injectable, Logger } from '@nestjs/common';

/** Told on every node, once a message as a rule; must not wait. */
export type SentListener = (conversationId: string, senderId: string) => void;

/** Where features that know nothing of messages hear that somebody has sent one. */
@Injectable()
export class ConversationActivity {
  private readonly logger = new Logger(ConversationActivity.name);
  private readonly listeners: SentListener[] = [];

  /** Registers a listener, in `onModuleInit`; what it throws is logged. */
  onSent(listener: SentListener): void {
    this.listeners.push(listener);
  }

  tellSent(conversationId: string, senderId: string): void {
    for (const listener of this.listeners) {
      try {
        listener(conversationId, senderId);
      } catch (error) {
        this.logger.error('a listener failed', error instanceof Error ? error.stack : String(error));
      }
    }
  }
}

import type { Message } from '../common/index.js';

/** A page of a history, ascending by seq. */
export interface MessagePage {
  messages: Message[];
  /** Whether there is more in the direction that was read. */
  hasMore: boolean;
}

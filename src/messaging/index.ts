/**
 * The life of a message. Guarantees: acked means committed; one stored message per (conversation,
 * sender, clientMessageId); `seq` and `rev` without holes, in commit order; each node tells its
 * sockets of changes in order of `rev`. Does not guarantee that a device got a message: `delivery`
 * does.
 */
export { HistoryService } from './history.service.js';
export { MessageBudgetStore, type BudgetGrant, type MessageRate } from './message-budget.store.js';
export { MessageInterceptor, type InterceptorVerdict, type MessageDraft } from './message.interceptor.js';
export { MessageService, type SentMessage } from './message.service.js';
export { MessageType } from './message.type.js';
export { MessagingModule, type MessagingOptions } from './messaging.module.js';

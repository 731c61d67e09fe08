/**
 * Conversations, participants, roles: who may do what where, and how a conversation looks to each
 * participant.
 *
 * Guarantees: a pair of users has one direct conversation; a group always has one owner; changes of
 * members, roles and title are announced to the sockets of all nodes, also when the node that made
 * them dies; who does not take part cannot tell a conversation from none. Does not guarantee that
 * memory knows of a removal at once (ConversationDirectory says how late): what commits checks
 * membership again.
 */
export { acceptanceNotice, acceptanceNoticeKind, type Acceptance } from './acceptance.notice.js';
export { AccessGate } from './access.gate.js';
export { AccessPolicy, type AccessRefusal, type AccessRequest, type AccessVerb } from './access.policy.js';
export { ConversationActivity, type SentListener } from './conversation.activity.js';
export { ConversationDirectory } from './conversation.directory.js';
export { ConversationIdDto, ConversationPageDto, ConversationParamDto } from './conversation.dto.js';
export {
  ConversationPageSchema,
  ConversationSchema,
  MessageSchema,
  ParticipantSchema,
} from './conversation.schemas.js';
export { ConversationService, type CreatedConversation } from './conversation.service.js';
export { ConversationViews } from './conversation.views.js';
export { ConversationsModule, type ConversationsModuleOptions } from './conversations.module.js';
export { DeliveryReceipts, NoDeliveryReceipts, type DeliveredMark } from './delivery-receipts.js';
export { hasIdShape, IsId, IsUserId } from './id.validator.js';
export { KeyedQueue } from './keyed-queue.js';
export { MembershipEvents, type LeaveListener, type MembershipListener } from './membership.events.js';
export type { Member, Membership, Standing } from './membership.js';
export { isoTime, messageColumns, messageVisibleTo, toMessage, type MessageRow } from './message-view.js';
export { messagesNoticeKind, type CommittedChanges } from './message-activity.js';
export { ParticipantService } from './participant.service.js';
export { ReceiptListeners, type DeliveredListener } from './receipt.listeners.js';
export {
  cursorsSeen,
  nothingWithheld,
  OpenReceiptVisibility,
  ReceiptVisibility,
  type Withheld,
  type WithheldReceipts,
} from './receipt.visibility.js';
export { RoleAccessPolicy } from './role.access-policy.js';
export { SilentTypingSource, TypingSource } from './typing.source.js';
export { UserIdsQueryDto, userIdsOf } from './user-ids.query.js';

/**
 * The public face of the package: everything an embedding application may import, and nothing else.
 *
 * Exports of this file follow semantic versioning. Everything else may change in any release.
 * `docs/extending/` has a page for each seam. Importing this file starts nothing.
 */

// The module, and how to run it.
export { ParleyModule, type ParleyAsyncOptions, type ParleyExtensions, type ParleyOptions } from './parley.module.js';
export {
  makeSettings,
  readSettings,
  Settings,
  SettingsError,
  type SettingsSource,
  type SettingsValues,
} from './config/index.js';
export { ParleyIoAdapter } from './realtime/index.js';
export {
  buildOpenApiDocument,
  configureHttp,
  HealthChecks,
  httpAppOptions,
  OpsModule,
  ParleyLogger,
  setupDocs,
  type HealthProbe,
} from './ops/index.js';

// Seams: abstract classes to extend, with their defaults and types.
export { Authenticator, JwtAuthenticator, type Principal } from './auth/index.js';
export {
  AccessPolicy,
  RoleAccessPolicy,
  type AccessRefusal,
  type AccessRequest,
  type AccessVerb,
} from './conversations/index.js';
export { BlocksTypingPolicy, TypingPolicy } from './typing/index.js';
export { ContactsPresencePolicy, PresencePolicy, type PresenceSight } from './presence/index.js';
export { MessageInterceptor, MessageType, type InterceptorVerdict, type MessageDraft } from './messaging/index.js';
export { ConnectionHooks, type AckMode, type Connection, type ConnectionHook } from './realtime/index.js';

// For your own gateways and controllers, with the same envelope.
export { Actor, CurrentActor, Ephemeral, Public, RequireScope } from './auth/index.js';
export { ChatGateway, InArrivalOrder, ok, type Ack } from './realtime/index.js';
export {
  ApiErrors,
  Bare,
  byIds,
  byPage,
  Costs,
  DtoPipe,
  ProblemDetailsFilter,
  QueryPipe,
  Repeated,
  type CostOf,
} from './common/index.js';
export {
  ChatError,
  invalid,
  registerErrorCodes,
  type ChatErrorOptions,
  type ErrorBody,
  type ErrorCode,
  type ErrorCodeEntry,
  type ErrorDetail,
} from './common/index.js';

// Services for your own features; injectable everywhere once ParleyModule is imported.
export { Clock, newId } from './common/index.js';
export { Revocations, type RevocationListener } from './auth/index.js';
export { Broadcaster, ConnectionRegistry, type Audience } from './realtime/index.js';
export {
  AccessGate,
  ConversationDirectory,
  ConversationService,
  IsId,
  IsUserId,
  MembershipEvents,
  ParticipantService,
  type Membership,
  type Standing,
} from './conversations/index.js';

// Wire types.
export type {
  Conversation,
  ConversationKind,
  Message,
  Page,
  Participant,
  Presence,
  PresenceStatus,
  Reaction,
  Role,
} from './common/index.js';
export { CountingOfflineNotifier, OfflineNotifier, type OfflineNotification } from './delivery/index.js';

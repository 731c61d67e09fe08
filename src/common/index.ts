/**
 * Leaves: types and pure functions that every other folder may use. Nothing here reads a setting,
 * opens a connection or knows a feature.
 */
export { ApiErrors } from './api-errors.decorator.js';
export { ChatController } from './chat-controller.decorator.js';
export type { ContractCase } from './contract-case.js';
export { ChatError, invalid, type ErrorBody, type ErrorDetail, type ChatErrorOptions } from './chat-error.js';
export { errorCodeEntry, errorCodes, registerErrorCodes, type ErrorCode, type ErrorCodeEntry } from './error-codes.js';
export {
  clientAddress,
  clientNetwork,
  isFromProxy,
  isNetwork,
  isTrustedProxy,
  type AddressedRequest,
  type TrustedProxies,
} from './client-address.js';
export { Clock, SystemClock } from './clock.js';
export { DeploymentIdentity } from './deployment-identity.js';
export { byIds, byPage, Costs, declaredCost, type CostOf } from './costs.js';
export { Spelled } from './canonical.js';
export { DtoPipe, QueryPipe, Repeated } from './dto.pipe.js';
export { EncodedOnce, encodeParts } from './encoded-once.js';
export { isId, newId, newRandomId } from './ids.js';
export { faultOfOrigin, fitsOrigin, isLocalhost } from './origins.js';
export { decodeCursor, encodeCursor, pageLimit, type Page } from './page-cursor.js';
export { assertHarmlessPayload, assertKeyCount, maxPayloadDepth, maxPayloadNodes } from './payload.js';
export { PayloadLimits } from './payload-limits.js';
export { asChatError, ProblemDetails, problemDetailsOf } from './problem-details.js';
export { ProblemDetailsFilter, sendProblem } from './problem-details.filter.js';
export { requestIdOf } from './request-id.js';
export { TokenBucket } from './token-bucket.js';
export { Bare, hasValidationRules, toDto } from './validation.js';
export type {
  Conversation,
  ConversationKind,
  Message,
  Participant,
  Presence,
  PresenceStatus,
  Reaction,
  Role,
  User,
} from './wire.js';
export type { ClientEvents, ServerEvents } from './wire-events.js';

/**
 * The Socket.IO edge. Guarantees: no socket without a verified user, in any namespace; every event
 * answered once, with a code when it fails; `session-ready` first, then live events; committed
 * changes announced to every node even when the node that committed them dies. Does not guarantee
 * delivery: a live event is sent at most once (see delivery/).
 */
export { ok, type Ack } from './ack.js';
export { Announcer, type NoticeHandler, type NoticeKeeper } from './announcer.js';
export { Broadcaster, type Audience } from './broadcaster.js';
export { ChatGateway, InArrivalOrder } from './chat-gateway.decorator.js';
export { ConnectionHooks, type ConnectionHook } from './connection-hooks.js';
export { ConnectionRegistry } from './connection-registry.js';
export { Connection, type AckMode } from './connection.js';
export { DrainState } from './drain-state.js';
export { EventCall } from './event-call.js';
export { GatewayAudit, type GatewayEvent } from './gateway-audit.js';
export { isMeantFor, LiveGate, OpenLiveGate, type LiveBatch, type LiveChange } from './live.gate.js';
export type { Notice } from './outbox.repository.js';
export { PacketWriter } from './packet-writer.js';
export { isCrossOriginAllowed, isOriginAllowed } from './origin.js';
export { reportRefusedOrigin } from './refused-origins.js';
export { ParleyIoAdapter, type EdgeOptions } from './parley-io.adapter.js';
export { RealtimeModule } from './realtime.module.js';
export { EmptyDto } from './session.dto.js';
export { SessionService } from './session.service.js';
export { TransportEcho } from './transport-echo.js';
export { EveryoneConnected, VisibleUsers } from './visible-users.js';
export { WsErrorFilter } from './ws-error.filter.js';
export { boundBody } from './bounded-input.js';
export { StrangerLimits, type StrangerHold } from './stranger-limits.js';

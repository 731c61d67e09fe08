import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { HandshakeAdmission } from './admission.js';
import { Announcer } from './announcer.js';
import { Broadcaster } from './broadcaster.js';
import { ConnectionHooks } from './connection-hooks.js';
import { ConnectionLeases } from './connection-leases.js';
import { ConnectionRegistry } from './connection-registry.js';
import { DrainState } from './drain-state.js';
import { Drain } from './drain.js';
import { EventDispatcher } from './event-dispatcher.js';
import { EventMetrics } from './event-metrics.js';
import { GatewayAudit } from './gateway-audit.js';
import { Handshake } from './handshake.js';
import { OutboxLogReader } from './outbox-log.reader.js';
import { NoticeLogRepository } from './notice-log.repository.js';
import { OutboxRepository } from './outbox.repository.js';
import { PacketWriter } from './packet-writer.js';
import { RequestDrain } from './request-drain.js';
import { SessionGateway } from './session.gateway.js';
import { SessionService } from './session.service.js';
import { TokenExpiry } from './token-expiry.js';
import { StrangerLimits } from './stranger-limits.js';

/** The edge: see index.ts for what it guarantees. Global, since every feature stands on it. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    Announcer,
    Broadcaster,
    ConnectionHooks,
    ConnectionLeases,
    ConnectionRegistry,
    Drain,
    DrainState,
    EventDispatcher,
    EventMetrics,
    GatewayAudit,
    Handshake,
    HandshakeAdmission,
    StrangerLimits,
    OutboxLogReader,
    NoticeLogRepository,
    OutboxRepository,
    PacketWriter,
    RequestDrain,
    SessionGateway,
    SessionService,
    TokenExpiry,
  ],
  exports: [
    Announcer,
    Broadcaster,
    ConnectionHooks,
    ConnectionRegistry,
    DrainState,
    EventDispatcher,
    GatewayAudit,
    Handshake,
    PacketWriter,
    SessionService,
  ],
})
export class RealtimeModule {}

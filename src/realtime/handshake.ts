import { Injectable, Logger } from '@nestjs/common';
import type { Socket } from 'socket.io';
import { Actor, logRefusal, logSignIn, SignIn, tokenOfHandshake, type AccessNote } from '../auth/index.js';
import { assertHarmlessPayload, ChatError, clientNetwork, invalid, newRandomId, requestIdOf } from '../common/index.js';
import { Settings } from '../config/index.js';
import { addressOf } from './address-of.js';
import { HandshakeAdmission } from './admission.js';
import { ConnectionLeases } from './connection-leases.js';
import { ConnectionHooks } from './connection-hooks.js';
import type { AckMode } from './connection.js';
import { DrainState } from './drain-state.js';

const deviceIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** What the handshake learned, for the connection that follows. */
export interface Admission {
  actor: Actor;
  ackMode: AckMode;
}

/**
 * Decides whether a socket may exist: a verified user, a good `deviceId` and `ackMode`, not one
 * socket too many.
 *
 * Runs as Socket.IO middleware in every namespace, since Nest neither awaits nor guards
 * `handleConnection` (ADR-0005).
 */
@Injectable()
export class Handshake {
  private readonly logger = new Logger(Handshake.name);

  constructor(
    private readonly signIn: SignIn,
    private readonly hooks: ConnectionHooks,
    private readonly leases: ConnectionLeases,
    private readonly drain: DrainState,
    private readonly admission: HandshakeAdmission,
    private readonly settings: Settings,
  ) {}

  /**
   * Socket.IO middleware. A refusal reaches the client as `connect_error` whose `data` is an
   * ErrorBody.
   *
   * Codes: UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED, VALIDATION_FAILED, RATE_LIMITED,
   * UNAVAILABLE, INTERNAL.
   */
  readonly middleware = (socket: Socket, next: (error?: Error) => void): void => {
    if (this.drain.isDraining) return this.turnAway(socket);
    this.admit(socket).then(
      (admission) => {
        if (this.drain.isDraining) return this.turnAway(socket);
        Object.assign(socket.data as object, { actor: admission.actor, ackMode: admission.ackMode });
        logSignIn({ ...this.noteOf(socket, admission.actor), deviceId: admission.actor.deviceId });
        next();
      },
      (error: unknown) => next(this.refusal(socket, error)),
    );
  };

  /**
   * While the node drains no refusal is sent: after one a stock client would not go elsewhere by
   * itself.
   */
  private turnAway(socket: Socket): void {
    socket.conn.close();
  }

  private async admit(socket: Socket): Promise<Admission> {
    const admission = await this.verified(socket);
    // Behind the token: a bad one takes no place from a good one (ADR-0026).
    await this.admission.run(admission.actor.userId, () =>
      this.withinTime(socket, this.enter(socket, admission.actor)),
    );
    return admission;
  }

  private async enter(socket: Socket, actor: Actor): Promise<void> {
    for (const hook of this.hooks.all()) await hook.beforeConnect?.(actor);
    await this.leases.acquire(socket, actor.userId);
  }

  /** What the client claims, judged without a look at Postgres or Redis. */
  private async verified(socket: Socket): Promise<Admission> {
    const auth = (socket.handshake.auth ?? {}) as Record<string, unknown>;
    assertHarmlessPayload(auth);
    const token = tokenOfHandshake({ auth, headers: socket.handshake.headers });
    const network = clientNetwork(socket.request, this.settings.trustProxy);
    const principal = await this.signIn.principalOf(token, network);
    const deviceId = deviceIdOf(auth);
    this.signIn.assertStillValid(principal, deviceId);
    return { actor: new Actor(principal, deviceId, socket.id), ackMode: ackModeOf(auth) };
  }

  private async withinTime(socket: Socket, entry: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new ChatError('UNAVAILABLE', { retryAfterMs: 1_000 }));
        // Admitted after all: nobody connects, and the transport may stay open for other tries.
        entry.then(
          () => this.leases.release(socket.id),
          () => undefined,
        );
      }, this.settings.eventTimeoutMs);
    });
    return Promise.race([entry, late]).finally(() => clearTimeout(timer));
  }

  private noteOf(socket: Socket, actor: Actor | null, requestId = requestIdOf(socket.request)): AccessNote {
    const address = addressOf(socket, this.settings);
    return { userId: actor?.userId ?? null, address, requestId, target: socket.nsp.name };
  }

  private refusal(socket: Socket, error: unknown): Error {
    const requestId = newRandomId();
    if (!(error instanceof ChatError)) {
      this.logger.error({ msg: 'a handshake failed', requestId }, error instanceof Error ? error.stack : String(error));
    }
    const chatError = error instanceof ChatError ? error : new ChatError('INTERNAL');
    logRefusal(chatError, this.noteOf(socket, null, requestId));
    return Object.assign(new Error(chatError.message), { data: chatError.toBody(requestId) });
  }
}

function deviceIdOf(auth: Record<string, unknown>): string {
  const { deviceId = 'default' } = auth;
  if (typeof deviceId === 'string' && deviceIdPattern.test(deviceId)) return deviceId;
  throw invalid('deviceId', 'must be 1 to 64 of A-Z a-z 0-9 . _ -');
}

function ackModeOf(auth: Record<string, unknown>): AckMode {
  const { ackMode = 'auto' } = auth;
  if (ackMode === 'auto' || ackMode === 'manual') return ackMode;
  throw invalid('ackMode', 'must be auto or manual');
}

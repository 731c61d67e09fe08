import { Controller, Get, Logger, type INestApplication } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatError, Costs, errorCodeEntry } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { UserTurns } from '../database/index.js';
import { Ephemeral, Public, RequireScope } from './access.decorators.js';
import type { AccessWatch } from './access-watch.js';
import { actorOf } from './actor-of.js';
import { Actor } from './actor.js';
import { Authenticator } from './authenticator.js';
import { CurrentActor } from './current-actor.decorator.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { HttpJwtGuard } from './http-jwt.guard.js';
import { RequestAdmission } from './request-admission.js';
import { RequestBudget } from './request-budget.js';
import type { Principal } from './principal.js';
import type { Revocations } from './revocations.js';
import { SignIn } from './sign-in.js';
import { WsJwtGuard } from './ws-jwt.guard.js';

let nowMs = 0;
let revoked = new Set<string>();
const clock = { now: () => nowMs };
let isKept = true;
const watch = {
  get isKept() {
    return isKept;
  },
  assertKept: async () => {
    await new Promise(setImmediate);
    if (!isKept) throw new ChatError('UNAVAILABLE');
  },
} as AccessWatch;
const revocations = { isRevoked: ({ userId }: Principal) => revoked.has(userId) } as Revocations;
const principal = { userId: 'alice', scopes: ['audit'], issuedAtMs: 0, expiresAtMs: 60_000 };

/** Takes the token for the user id; some words stand for what else an authenticator may do. */
class WordAuthenticator extends Authenticator {
  override async authenticate(token: string): Promise<Principal> {
    if (token === 'bad') throw new ChatError('UNAUTHENTICATED');
    if (token === 'away') throw new ChatError('UNAVAILABLE');
    if (token === 'conflict') throw new ChatError('CONFLICT');
    if (token === 'broken') throw new TypeError('a bug');
    if (token === 'nobody') return undefined as unknown as Principal;
    if (token === 'timeless') return { ...principal, expiresAtMs: Number.NaN };
    return { ...principal, userId: token, scopes: token === 'root' ? ['admin'] : [] };
  }
}

const settings = makeSettings({ failedSignInsPerMinute: 6, rateRequestsPerSecond: 1, rateRequestsBurst: 20 });
const signIn = new SignIn(new WordAuthenticator(), revocations, new FailedSignIns(clock, settings), clock, settings);

beforeAll(() => Logger.overrideLogger(false));

beforeEach(() => {
  nowMs = 0;
  revoked = new Set();
  isKept = true;
});

describe('SignIn', () => {
  it.each([
    [null, 'UNAUTHENTICATED'],
    ['', 'UNAUTHENTICATED'],
    ['bad', 'UNAUTHENTICATED'],
    ['x'.repeat(16_385), 'PAYLOAD_TOO_LARGE'],
    ['timeless', 'TOKEN_EXPIRED'],
    ['away', 'UNAVAILABLE'],
    ['conflict', 'UNAVAILABLE'],
    ['broken', 'UNAVAILABLE'],
    ['nobody', 'UNAVAILABLE'],
    ['a\u0000', 'UNAVAILABLE'],
  ])('refuses %j with %s', async (token, code) => {
    await expect(signIn.principalOf(token, null)).rejects.toMatchObject({ code });
  });

  it('checks expiry and revocation, whatever the authenticator says', async () => {
    expect((await signIn.principalOf('alice', null)).userId).toBe('alice');
    revoked.add('alice');
    await expect(signIn.principalOf('alice', null)).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
    nowMs = 90_000;
    await expect(signIn.principalOf('bob', null)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });
});

class Gateway {
  anybody(): void {}
  @RequireScope('admin')
  admins(): void {}
  @Ephemeral()
  typists(): void {}
}

describe('WsJwtGuard', () => {
  const guard = new WsJwtGuard(signIn, watch, settings);
  const contextOf = (actor: Actor | undefined, handler = Gateway.prototype.anybody, type = 'ws') => {
    const context = new ExecutionContextHost([{ data: { actor } }, {}, {}, 'event'], Gateway, handler);
    context.setType(type);
    return context;
  };
  const code = (expected: string) => expect.objectContaining({ code: expected });

  it('answers at once, without a promise', () => {
    expect(guard.canActivate(contextOf(new Actor(principal)))).toBe(true);
  });

  it('refuses what is durable while revocations cannot be read in time, and serves what is ephemeral', async () => {
    isKept = false;
    const actor = new Actor(principal);
    await expect(guard.canActivate(contextOf(actor))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(guard.canActivate(contextOf(actor, Gateway.prototype.typists))).toBe(true);
  });

  it('judges a late event by the revocations that it waited for', async () => {
    isKept = false;
    const judged = guard.canActivate(contextOf(new Actor(principal)));
    isKept = true;
    revoked.add('alice');
    await expect(judged).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
  });

  it('refuses a socket without an actor', () => {
    expect(() => guard.canActivate(contextOf(undefined))).toThrow(code('UNAUTHENTICATED'));
  });

  it('refuses an event whose token expired after the handshake, beyond the leeway', () => {
    const context = contextOf(new Actor(principal));
    nowMs = 89_999;
    expect(guard.canActivate(context)).toBe(true);
    nowMs = 90_000;
    expect(() => guard.canActivate(context)).toThrow(code('TOKEN_EXPIRED'));
  });

  it('goes on after the token was renewed', () => {
    const actor = new Actor(principal);
    nowMs = 90_000;
    actor.principal = { ...principal, expiresAtMs: 120_000 };
    expect(guard.canActivate(contextOf(actor))).toBe(true);
  });

  it('refuses an event whose token was revoked after the handshake', () => {
    revoked.add('alice');
    expect(() => guard.canActivate(contextOf(new Actor(principal)))).toThrow(code('TOKEN_REVOKED'));
  });

  it('asks for the scope a handler names', () => {
    const admin = new Actor({ ...principal, scopes: ['admin'] });
    expect(guard.canActivate(contextOf(admin, Gateway.prototype.admins))).toBe(true);
    expect(() => guard.canActivate(contextOf(new Actor(principal), Gateway.prototype.admins))).toThrow(
      code('FORBIDDEN'),
    );
  });

  it('leaves other kinds of requests to other guards', () => {
    expect(guard.canActivate(contextOf(undefined, undefined, 'http'))).toBe(true);
  });

  it('finds the view of the event before the actor of the connection', () => {
    const actor = new Actor(principal);
    const view = actor.inTurn({
      ready: Promise.resolve(),
      release: () => undefined,
      isGivenUp: false,
      giveUp: () => undefined,
    });
    const context = new ExecutionContextHost([{ data: { actor } }, {}, { actor: view }, 'event'], Gateway);
    context.setType('ws');
    expect(actorOf(context)).toBe(view);
    expect(actorOf(contextOf(actor))).toBe(actor);
  });
});

@Controller()
class DoorController {
  @Get('me')
  me(@CurrentActor() actor: Actor) {
    return { userId: actor.userId, deviceId: actor.deviceId, connectionId: actor.connectionId };
  }

  @Get('open')
  @Public()
  open(@CurrentActor() actor: Actor | undefined) {
    return { known: actor !== undefined };
  }

  @Get('dear')
  @Costs(10)
  dear() {
    return {};
  }

  @Get('admin')
  @RequireScope('admin')
  admin() {
    return {};
  }
}

describe('HttpJwtGuard', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({ controllers: [DoorController] }).compile();
    app = testing.createNestApplication({ logger: false });
    app.useGlobalGuards(
      new HttpJwtGuard(
        new RequestAdmission(signIn, watch, new RequestBudget(clock, settings), new UserTurns(), settings),
      ),
    );
    app.useGlobalFilters({
      catch: (error: ChatError, host) =>
        host
          .switchToHttp()
          .getResponse()
          .status(errorCodeEntry(error.code).status)
          .json({ code: error.code, retryAfterMs: error.retryAfterMs }),
    });
    await app.init();
  });

  afterAll(() => app.close());

  const get = (path: string, token?: string) =>
    request(app.getHttpServer())
      .get(path)
      .set(token === undefined ? {} : { Authorization: `Bearer ${token}` });

  it('puts who asks into the handler', async () => {
    const { status, body } = await get('/me', 'alice');
    expect({ status, body }).toEqual({ status: 200, body: { userId: 'alice', deviceId: null, connectionId: null } });
  });

  it('refuses a request without a token, and says what would do', async () => {
    const { status, body, headers } = await get('/me');
    expect([status, body.code, headers['www-authenticate']]).toEqual([401, 'UNAUTHENTICATED', 'Bearer']);
  });

  it('never takes a token from the query string', async () => {
    expect((await get('/me?token=alice&access_token=alice')).status).toBe(401);
  });

  it('refuses a revoked token', async () => {
    revoked.add('alice');
    expect((await get('/me', 'alice')).body).toEqual({ code: 'TOKEN_REVOKED' });
  });

  it('answers 503 while tokens cannot be checked', async () => {
    expect((await get('/me', 'away')).status).toBe(503);
  });

  it('opens public routes to everybody', async () => {
    expect((await get('/open', 'bad')).body).toEqual({ known: false });
  });

  it('asks for the scope a route names', async () => {
    expect((await get('/admin', 'alice')).body).toEqual({ code: 'FORBIDDEN' });
    expect((await get('/admin', 'root')).status).toBe(200);
    expect((await get('/admin')).status).toBe(401);
  });

  it('takes from a user’s budget what a request costs, and says how long to wait', async () => {
    // 4 + 2 + 1 + 1 + 10 + 1 of 20.
    for (const path of ['/me?limit=200', '/me?limit=51', '/me?limit=5000', '/me?limit=x', '/dear', '/me']) {
      expect((await get(path, 'spender')).status, path).toBe(200);
    }
    expect((await get('/dear', 'spender')).body).toEqual({ code: 'RATE_LIMITED', retryAfterMs: 9_000 });
    expect((await get('/me', 'spender')).status).toBe(200);
    expect((await get('/me', 'spender')).body).toEqual({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
    expect((await get('/dear', 'other')).status).toBe(200);
    nowMs += 1_000;
    expect((await get('/me', 'spender')).status).toBe(200);
  });

  it('answers bad tokens RATE_LIMITED above the limit of their address, and nothing else', async () => {
    nowMs = 60_000;
    const codes = [];
    for (let i = 0; i < 8; i++) codes.push((await get('/me', 'bad')).body.code);
    expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).toBeLessThanOrEqual(6);
    expect((await get('/me', 'bad')).body).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 10_000 });
    for (const [token, code] of [
      [undefined, 'UNAUTHENTICATED'],
      ['timeless', 'TOKEN_EXPIRED'],
      ['away', 'UNAVAILABLE'],
    ] as const) {
      expect((await get('/me', token)).body.code).toBe(code);
    }
    nowMs += 10_000;
    expect((await get('/me', 'bad')).body.code).toBe('UNAUTHENTICATED');
  });
});

describe('FailedSignIns', () => {
  it('counts each network by itself, and forgets those least recently seen', () => {
    const failures = new FailedSignIns(clock, settings);
    const noted = (network: string) => failures.note(network)?.code ?? null;
    expect(Array.from({ length: 7 }, () => noted('a'))).toEqual([...new Array<null>(6).fill(null), 'RATE_LIMITED']);
    expect(noted('b')).toBeNull();
    for (let i = 0; i < 10_000; i++) noted(`other-${i}`);
    expect(noted('a')).toBeNull();
  });
});

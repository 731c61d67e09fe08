import { describe, expect, it } from 'vitest';
import { Actor } from './actor.js';

const principal = { userId: 'alice', scopes: ['admin'], issuedAtMs: 0, expiresAtMs: 1 };

describe('Actor', () => {
  it('shares a renewed principal with the views of its events', () => {
    const actor = new Actor(principal, 'phone', 'socket-1');
    const turn = { ready: Promise.resolve(), release: () => undefined, isGivenUp: false, giveUp: () => undefined };
    const view = actor.inTurn(turn);
    view.principal = { ...principal, expiresAtMs: 2 };
    expect(actor.principal.expiresAtMs).toBe(2);
    expect(view).toMatchObject({ userId: 'alice', deviceId: 'phone', connectionId: 'socket-1', turn });
    expect(actor.turn).toBeUndefined();
  });

  it('does not become another user', () => {
    const actor = new Actor(principal);
    expect(() => (actor.principal = { ...principal, userId: 'bob' })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    expect(actor.userId).toBe('alice');
  });

  it('says which scopes its token has', () => {
    expect([new Actor(principal).hasScope('admin'), new Actor(principal).hasScope('adm')]).toEqual([true, false]);
  });
});

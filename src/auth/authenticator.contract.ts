import assert from 'node:assert/strict';
import { ChatError, type ContractCase } from '../common/index.js';
import type { Authenticator } from './authenticator.js';
import { isUserId } from './principal.js';

export interface AuthenticatorSubject {
  authenticator: Authenticator;
  /** A token it accepts now. */
  token: string;
  /** Whom that token speaks for. */
  userId: string;
  /**
   * Tokens it must refuse: expired, withdrawn, forged, of another audience. None: only garbage is
   * tried.
   */
  badTokens?: readonly string[];
}

const refusals = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'];
const maxDateMs = 8.64e15;

async function refusalOf(authenticator: Authenticator, token: string): Promise<unknown> {
  return authenticator.authenticate(token).then(
    () => assert.fail('a bad token was accepted'),
    (error: unknown) => error,
  );
}

/** What every {@link Authenticator} must do. */
export const authenticatorContract: ContractCase<AuthenticatorSubject>[] = [
  {
    name: 'says whom a good token speaks for, since when and until when',
    async check({ authenticator, token, userId }) {
      const principal = await authenticator.authenticate(token);
      assert.equal(principal.userId, userId);
      assert.ok(isUserId(principal.userId), 'a user id is 1 to 128 printable characters');
      assert.ok(principal.scopes.every((scope) => typeof scope === 'string'));
      assert.ok(Math.abs(principal.expiresAtMs) <= maxDateMs, 'expiresAtMs is within what a Date can hold');
      if (principal.issuedAtMs !== null) assert.ok(principal.issuedAtMs <= principal.expiresAtMs);
    },
  },
  {
    name: 'answers concurrent calls each for its own token',
    async check({ authenticator, token, userId }) {
      const answers = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => authenticator.authenticate(i % 2 === 0 ? token : `not a token ${i}`)),
      );
      const users = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.userId : null));
      assert.deepEqual(
        users,
        users.map((_, i) => (i % 2 === 0 ? userId : null)),
      );
    },
  },
  {
    name: 'refuses what is no token, and bad ones, with a code, and does not repeat them',
    async check({ authenticator, token, badTokens = [] }) {
      const garbage = ['x', '..', 'a.b.c', '{}', '\u0000', 'é'.repeat(100), 'x'.repeat(8_192), `${token}x`];
      for (const bad of [...garbage, ...badTokens]) {
        const error = await refusalOf(authenticator, bad);
        assert.ok(error instanceof ChatError, 'a refusal is a ChatError');
        assert.ok(refusals.includes(error.code), `${error.code} is none of ${refusals.join(', ')}`);
        if (bad.length > 8) assert.ok(!error.message.includes(bad), 'the message repeats the token');
      }
    },
  },
];

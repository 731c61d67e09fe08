import { Injectable } from '@nestjs/common';
import { Authenticator, ChatError, Clock, type Principal } from '../../src/index.js';

interface Session {
  userId: string;
  /** Unix milliseconds. */
  endsAtMs: number;
}

/** Takes the session ids of a shop's own sign-in for tokens. */
@Injectable()
export class SessionAuthenticator extends Authenticator {
  /** By session id; in a real shop, its session store. */
  readonly sessions = new Map<string, Session>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override async authenticate(token: string): Promise<Principal> {
    const session = this.sessions.get(token);
    if (!session) throw new ChatError('UNAUTHENTICATED');
    if (session.endsAtMs <= this.clock.now()) throw new ChatError('TOKEN_EXPIRED');
    return { userId: session.userId, scopes: [], issuedAtMs: null, expiresAtMs: session.endsAtMs };
  }
}

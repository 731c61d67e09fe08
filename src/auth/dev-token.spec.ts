import { describe, expect, it } from 'vitest';
import { makeSettings } from '../config/index.js';
import { mintDevelopmentToken } from './dev-token.js';
import { JwtAuthenticator } from './jwt.authenticator.js';

const clock = { now: () => Date.now() };

describe('mintDevelopmentToken', () => {
  it('mints what the server takes, issuer, audience and scopes included', async () => {
    const settings = makeSettings({
      jwtSecret: ['x'.repeat(32), 'y'.repeat(32)],
      jwtIssuer: 'https://id.example',
      jwtAudience: 'chat',
    });
    const token = await mintDevelopmentToken(settings, 'alice', { expiresInSeconds: 60, scopes: ['admin', 'audit'] });
    const principal = await new JwtAuthenticator(settings, clock).authenticate(token);
    expect(principal).toMatchObject({ userId: 'alice', scopes: ['admin', 'audit'] });
    expect(principal.expiresAtMs - principal.issuedAtMs!).toBe(60_000);
  });

  it('refuses under production, with a key set, and for what is no user id', async () => {
    const production = makeSettings({
      nodeEnv: 'production',
      jwtSecret: 'x'.repeat(32),
      databaseUrl: 'postgres://db',
      redisUrl: 'redis://r',
    });
    await expect(mintDevelopmentToken(production, 'alice')).rejects.toThrow('NODE_ENV');
    const withKeySet = makeSettings({ jwtJwksUrl: 'https://id.example/keys' });
    await expect(mintDevelopmentToken(withKeySet, 'alice')).rejects.toThrow('JWT_JWKS_URL');
    await expect(mintDevelopmentToken(makeSettings(), 'alice')).rejects.toThrow('JWT_SECRET');
    await expect(mintDevelopmentToken(makeSettings(), 'a\nb')).rejects.toThrow('user id');
    await expect(mintDevelopmentToken(makeSettings(), 'alice')).rejects.toThrow('JWT_SECRET');
    await expect(mintDevelopmentToken(makeSettings(), 'alice', { expiresInSeconds: Number.NaN })).rejects.toThrow(
      'expiry',
    );
  });
});

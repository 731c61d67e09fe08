import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { exportJWK, SignJWT, type JWTPayload } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeSettings, type SettingsValues } from '../config/index.js';
import { authenticatorContract } from './authenticator.contract.js';
import { JwtAuthenticator } from './jwt.authenticator.js';
import { atMost } from '../../test/setup/patience.js';

const secret = 'a-secret-of-the-specs-that-is-long-enough';
const startMs = Date.UTC(2026, 2, 1, 12, 0, 0);
const startSeconds = startMs / 1_000;
let nowMs = startMs;
const clock = { now: () => nowMs };

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs whatever it is given, also what no library would. */
function forge(header: object, claims: unknown, key: string | Buffer = secret): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

const claimsOf = (claims: object = {}) => ({ sub: 'alice', iat: startSeconds, exp: startSeconds + 60, ...claims });
const tokenOf = (claims: object = {}) => forge({ alg: 'HS256' }, claimsOf(claims));
const authenticatorOf = (settings: Partial<SettingsValues> = { jwtSecret: secret }) =>
  new JwtAuthenticator(makeSettings(settings), clock);

beforeEach(() => {
  nowMs = startMs;
});

describe('JwtAuthenticator with a secret', () => {
  it.each(authenticatorContract)('$name', ({ check }) => {
    const badTokens = [tokenOf({ exp: startSeconds - 60 }), forge({ alg: 'HS256' }, claimsOf(), 'x'.repeat(32))];
    return check({ authenticator: authenticatorOf(), token: tokenOf(), userId: 'alice', badTokens });
  });

  it('says who a good token speaks for', async () => {
    expect(
      await authenticatorOf().authenticate(tokenOf({ scope: 'chat  admin', scopes: ['audit', 'admin', 7] })),
    ).toEqual({
      userId: 'alice',
      scopes: ['chat', 'admin', 'audit'],
      issuedAtMs: startMs,
      expiresAtMs: startMs + 60_000,
    });
  });

  it('takes a token that does not say when it was issued', async () => {
    expect((await authenticatorOf().authenticate(tokenOf({ iat: undefined }))).issuedAtMs).toBeNull();
  });

  it('answers a token seen before without verifying it again, but not past its expiry', async () => {
    const authenticator = authenticatorOf();
    const first = await authenticator.authenticate(tokenOf());
    expect(await authenticator.authenticate(tokenOf())).toBe(first);
    nowMs += 91_000;
    await expect(authenticator.authenticate(tokenOf())).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('does not take a token for another one because it has been seen with another signature', async () => {
    const authenticator = authenticatorOf();
    const token = tokenOf();
    await authenticator.authenticate(token);
    const [header, payload] = token.split('.');
    const forged = `${header}.${payload}.${'A'.repeat(43)}`;
    await expect(authenticator.authenticate(forged)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('lets an expired token pass within the leeway, and answers TOKEN_EXPIRED beyond it', async () => {
    const token = tokenOf({ exp: startSeconds });
    nowMs = startMs + 29_999;
    expect((await authenticatorOf().authenticate(token)).userId).toBe('alice');
    nowMs = startMs + 30_000;
    await expect(authenticatorOf().authenticate(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('does not say of a forged token that it has expired', async () => {
    const token = forge({ alg: 'HS256' }, claimsOf({ exp: 1 }), 'another secret');
    await expect(authenticatorOf().authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each([
    ['the algorithm none', `${base64url({ alg: 'none' })}.${base64url(claimsOf())}.`],
    ['the algorithm none, with a signature', forge({ alg: 'none' }, claimsOf())],
    ['another algorithm of the same key', forge({ alg: 'HS512' }, claimsOf())],
    ['an asymmetric algorithm', forge({ alg: 'RS256' }, claimsOf())],
    ['no algorithm', forge({ typ: 'JWT' }, claimsOf())],
    ['an algorithm that is no text', forge({ alg: { toString: 'HS256' } }, claimsOf())],
    ['another secret', forge({ alg: 'HS256' }, claimsOf(), 'another secret')],
    ['an unknown critical header', forge({ alg: 'HS256', crit: ['bank'], bank: 1 }, claimsOf())],
    ['an unencoded payload', forge({ alg: 'HS256', crit: ['b64'], b64: false }, claimsOf())],
    ['no exp', tokenOf({ exp: undefined })],
    ['an exp that is a text', tokenOf({ exp: `${startSeconds + 60}` })],
    ['an exp no date can hold', tokenOf({ exp: 1e300 })],
    ['an nbf beyond the leeway', tokenOf({ nbf: startSeconds + 31 })],
    ['an iat beyond the leeway', tokenOf({ iat: startSeconds + 31 })],
    ['an iat that is a text', tokenOf({ iat: 'yesterday' })],
    ['no sub', tokenOf({ sub: undefined })],
    ['a sub that is an object', tokenOf({ sub: { id: 'alice' } })],
    ['a sub that is a list', tokenOf({ sub: ['alice'] })],
    ['a sub that is a number', tokenOf({ sub: 7 })],
    ['an empty sub', tokenOf({ sub: '' })],
    ['a sub of 129 characters', tokenOf({ sub: 'a'.repeat(129) })],
    ['a sub with a NUL', tokenOf({ sub: 'al\u0000ice' })],
    ['a sub with a line feed', tokenOf({ sub: 'alice\n' })],
    ['a sub with a direction mark', tokenOf({ sub: 'alice\u202e' })],
    ['a sub with a lone surrogate', tokenOf({ sub: 'alice\ud800' })],
    ['claims that are a list', forge({ alg: 'HS256' }, [claimsOf()])],
    ['claims that are nothing', forge({ alg: 'HS256' }, null)],
    ['two parts', 'aaaa.bbbb'],
    ['five parts', 'a.b.c.d.e'],
    ['dots', '...'],
    ['a word', 'null'],
    ['no base64url', `${tokenOf()}=%\u0000`],
  ])('refuses a token with %s', async (_, token) => {
    await expect(authenticatorOf().authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('takes an nbf and an iat within the leeway, and user ids of 128 characters of any script', async () => {
    const sub = '𝒜'.repeat(128);
    const token = tokenOf({ sub, nbf: startSeconds + 30, iat: startSeconds + 30 });
    expect((await authenticatorOf().authenticate(token)).userId).toBe(sub);
  });

  it.each(['JWT', 'jwt', 'at+jwt', 'AT+JWT'])('takes the type %s', async (typ) => {
    const token = forge({ alg: 'HS256', typ }, claimsOf());
    expect((await authenticatorOf().authenticate(token)).userId).toBe('alice');
  });

  it.each([['logout+jwt'], ['JWS'], [''], ['JWT '], ['secevent+jwt'], [7], [null], [['JWT']]])(
    'refuses the type %j',
    async (typ) => {
      const token = forge({ alg: 'HS256', typ }, claimsOf());
      await expect(authenticatorOf().authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  it('takes tokens of each secret while they rotate, and none of another', async () => {
    const [older, newer] = [secret, 'a-newer-secret-of-the-specs-that-is-long'];
    const authenticator = authenticatorOf({ jwtSecret: [newer, older] });
    for (const key of [older, newer]) {
      expect((await authenticator.authenticate(forge({ alg: 'HS256' }, claimsOf(), key))).userId).toBe('alice');
    }
    const expired = forge({ alg: 'HS256' }, claimsOf({ exp: startSeconds - 60 }), older);
    await expect(authenticator.authenticate(expired)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    const foreign = forge({ alg: 'HS256' }, claimsOf(), 'x'.repeat(32));
    await expect(authenticator.authenticate(foreign)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('cannot be made without a key', () => {
    expect(() => authenticatorOf({})).toThrow(/^JWT_SECRET: /);
  });

  it('checks issuer and audience where the settings name them', async () => {
    const authenticator = authenticatorOf({ jwtSecret: secret, jwtIssuer: 'https://id.example', jwtAudience: 'chat' });
    const good = { iss: 'https://id.example', aud: ['chat', 'mail'] };
    expect((await authenticator.authenticate(tokenOf(good))).userId).toBe('alice');
    const wrong = [{}, { ...good, iss: 'https://evil.example' }, { ...good, aud: 'mail' }, { iss: good.iss }];
    for (const claims of wrong) {
      await expect(authenticator.authenticate(tokenOf(claims))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });
});

describe('JwtAuthenticator with a key set', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');

  let server: Server;
  let keys: object[];
  let answer: () => { status: number; body: string };
  let fetches: number;
  let settings: Partial<SettingsValues>;

  const jwk = async (key: KeyObject, kid: string, alg?: string) => ({
    ...(await exportJWK(key)),
    kid,
    ...(alg === undefined ? {} : { alg }),
  });
  const sign = (key: KeyObject, alg: string, kid?: string, claims: JWTPayload = claimsOf()) =>
    new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(key);

  beforeEach(async () => {
    // The key set's age is told by the system's time, not by the injected clock.
    vi.useFakeTimers({ now: startMs, toFake: ['Date'] });
    keys = [await jwk(rsa.publicKey, 'r1'), await jwk(ec.publicKey, 'e1'), await jwk(ed.publicKey, 'd1')];
    answer = () => ({ status: 200, body: JSON.stringify({ keys }) });
    fetches = 0;
    server = createServer((_, response) => {
      fetches += 1;
      const { status, body } = answer();
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    settings = { jwtJwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` };
  });

  afterEach(async () => {
    vi.useRealTimers();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });

  it('takes RS256, ES256 and EdDSA with one fetch of the set', async () => {
    const authenticator = authenticatorOf(settings);
    const tokens = [
      await sign(rsa.privateKey, 'RS256', 'r1'),
      await sign(ec.privateKey, 'ES256', 'e1'),
      await sign(ed.privateKey, 'EdDSA', 'd1'),
    ];
    const principals = await Promise.all(tokens.map((token) => authenticator.authenticate(token)));
    expect(principals.map(({ userId }) => userId)).toEqual(['alice', 'alice', 'alice']);
    expect(fetches).toBe(1);
  });

  it('refuses a token signed by HMAC with the public key', async () => {
    const publicKey = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const token = forge({ alg: 'HS256', kid: 'r1' }, claimsOf(), publicKey);
    await expect(authenticatorOf(settings).authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(fetches).toBe(0);
  });

  it('refuses an algorithm outside the pinned ones, though the key could do it', async () => {
    for (const alg of ['RS512', 'PS256']) {
      const token = await sign(rsa.privateKey, alg, 'r1');
      await expect(authenticatorOf(settings).authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('refuses an algorithm that does not belong to the key named', async () => {
    keys = [await jwk(rsa.publicKey, 'r1', 'PS256'), await jwk(ec.publicKey, 'e1')];
    const authenticator = authenticatorOf(settings);
    const tokens = [await sign(rsa.privateKey, 'RS256', 'r1'), await sign(rsa.privateKey, 'RS256', 'e1')];
    for (const token of tokens) {
      await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('refuses a key the token brings along', async () => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const header = { alg: 'ES256', kid: 'e1', jwk: await exportJWK(own.publicKey), jku: 'http://127.0.0.1:1/' };
    const token = await new SignJWT(claimsOf()).setProtectedHeader(header).sign(own.privateKey);
    await expect(authenticatorOf(settings).authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('finds a key that was added, and asks for unknown ones no more than once in five seconds', async () => {
    const authenticator = authenticatorOf(settings);
    await authenticator.authenticate(await sign(rsa.privateKey, 'RS256', 'r1'));
    const added = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    keys.push(await jwk(added.publicKey, 'e2'));
    const token = await sign(added.privateKey, 'ES256', 'e2');
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(fetches).toBe(1);
    vi.setSystemTime(startMs + 5_000);
    expect((await authenticator.authenticate(token)).userId).toBe('alice');
    expect(fetches).toBe(2);
  });

  it('forgets a key that was taken away, and the tokens verified with it', async () => {
    const authenticator = authenticatorOf(settings);
    const token = await sign(rsa.privateKey, 'RS256', 'r1', claimsOf({ exp: startSeconds + 7_200 }));
    await authenticator.authenticate(token);
    keys = keys.slice(1);
    nowMs = startMs + 660_000;
    vi.setSystemTime(nowMs);
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each([
    ['answers an error', () => ({ status: 500, body: '' })],
    ['answers no JSON', () => ({ status: 200, body: '<html>' })],
    ['answers no key set', () => ({ status: 200, body: '{"keys":"none"}' })],
    ['redirects', () => ({ status: 302, body: '' })],
  ])('answers UNAVAILABLE while the key set %s, and works again after', async (_, away) => {
    const authenticator = authenticatorOf(settings);
    const token = await sign(rsa.privateKey, 'RS256', 'r1');
    const present = answer;
    answer = away;
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    answer = present;
    expect((await authenticator.authenticate(token)).userId).toBe('alice');
  });

  it('answers UNAVAILABLE while nobody listens, but goes on with tokens it has verified', async () => {
    const authenticator = authenticatorOf(settings);
    const token = await sign(rsa.privateKey, 'RS256', 'r1');
    await authenticator.authenticate(token);
    await new Promise((resolve) => server.close(resolve));
    expect((await authenticator.authenticate(token)).userId).toBe('alice');
    const unseen = authenticatorOf(settings).authenticate(token);
    await expect(unseen).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('answers UNAVAILABLE within three seconds while the key set hangs', async () => {
    server.removeAllListeners('request');
    const startedAt = performance.now();
    const token = await sign(rsa.privateKey, 'RS256', 'r1');
    await expect(authenticatorOf(settings).authenticate(token)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - startedAt).toBeLessThan(atMost(3_000));
    server.closeAllConnections();
  });

  it('tries each key that fits: those of one kid, those without kid, all for a token without kid', async () => {
    const [two, bare, foreign] = Array.from({ length: 3 }, () => generateKeyPairSync('rsa', { modulusLength: 2_048 }));
    keys.push(await jwk(two!.publicKey, 'r1'), await exportJWK(bare!.publicKey));
    const authenticator = authenticatorOf(settings);
    const good: [KeyObject, string | undefined][] = [
      [rsa.privateKey, 'r1'],
      [two!.privateKey, 'r1'],
      [two!.privateKey, undefined],
      [bare!.privateKey, 'anything'],
      [bare!.privateKey, undefined],
    ];
    for (const [key, kid] of good) {
      expect((await authenticator.authenticate(await sign(key, 'RS256', kid))).userId).toBe('alice');
    }
    for (const kid of ['r1', undefined]) {
      const token = await sign(foreign!.privateKey, 'RS256', kid);
      await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('says of a token that the second key has signed that it has expired', async () => {
    const two = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    keys.push(await jwk(two.publicKey, 'r1'));
    const token = await sign(two.privateKey, 'RS256', 'r1', claimsOf({ exp: startSeconds - 3_600 }));
    await expect(authenticatorOf(settings).authenticate(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('passes over entries it cannot use, logs them once, and goes on with the others', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const entries = [
      null,
      7,
      'text',
      ['list'],
      {},
      { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'h1', alg: 'HS256' },
      { kty: 'RSA', n: '!!!', e: 'AQAB', kid: 'broken' },
      { kty: 'RSA', kid: 'empty' },
      { kty: 'EC', crv: 'P-999', x: 'a', y: 'b', kid: 'curve' },
      { kty: 'AKP', kid: 'future' },
      await jwk(weak.publicKey, 'weak'),
      { ...(await jwk(rsa.publicKey, 'enc')), use: 'enc' },
      { ...(await jwk(rsa.publicKey, 'wrap')), key_ops: ['wrapKey'] },
      await jwk(rsa.privateKey, 'private'),
    ];
    keys = [...(entries as object[]), ...keys];
    const authenticator = authenticatorOf(settings);
    expect((await authenticator.authenticate(await sign(rsa.privateKey, 'RS256', 'r1'))).userId).toBe('alice');
    expect((await authenticator.authenticate(await sign(ed.privateKey, 'EdDSA', 'd1'))).userId).toBe('alice');
    for (const kid of ['enc', 'wrap', 'private', 'broken']) {
      const token = await sign(rsa.privateKey, 'RS256', kid);
      await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    vi.setSystemTime(startMs + 660_000);
    nowMs = startMs;
    await authenticator.authenticate(await sign(ec.privateKey, 'ES256', 'e1'));
    expect(fetches).toBe(2);
    expect(warned).toHaveBeenCalledTimes(1);
    const [line] = warned.mock.calls[0] as [string];
    expect(line).toContain('3 of 17 entries');
    for (let entry = 1; entry <= entries.length; entry++) expect(line).toContain(`entry ${entry}`);
    expect(line).not.toContain(Buffer.from(secret).toString('base64url'));
    warned.mockRestore();
  });

  it('never uses a secret key of the set, whatever the token says', async () => {
    keys = [{ kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'h1' }];
    for (const header of [
      { alg: 'HS256', kid: 'h1' },
      { alg: 'HS256' },
      { alg: 'none' },
      { alg: 'RS256', kid: 'h1' },
    ]) {
      const refusal = authenticatorOf(settings).authenticate(forge(header, claimsOf()));
      await expect(refusal).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('lets nobody in by an empty set, and says so', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    keys = [];
    const refusal = authenticatorOf(settings).authenticate(await sign(rsa.privateKey, 'RS256', 'r1'));
    await expect(refusal).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(warned.mock.calls.flat().join()).toContain('nobody can sign in');
    warned.mockRestore();
  });

  it('reads no set above 1 MiB, and says why', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    answer = () => ({ status: 200, body: JSON.stringify({ keys, filling: 'x'.repeat(1_100_000) }) });
    const refusal = authenticatorOf(settings).authenticate(await sign(rsa.privateKey, 'RS256', 'r1'));
    await expect(refusal).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(warned.mock.calls.flat().join()).toContain('larger than 1048576 bytes');
    warned.mockRestore();
  });

  it('lets known keys in while the set hangs, before anybody who waits for it', async () => {
    const authenticator = authenticatorOf(settings);
    await authenticator.authenticate(await sign(rsa.privateKey, 'RS256', 'r1'));
    server.removeAllListeners('request');
    vi.setSystemTime(startMs + 700_000);
    const order: string[] = [];
    const unknown = authenticator.authenticate(await sign(ec.privateKey, 'ES256', 'unknown')).catch(({ code }) => {
      order.push(code as string);
    });
    const known = await Promise.all([sign(ec.privateKey, 'ES256', 'e1'), sign(ed.privateKey, 'EdDSA', 'd1')]);
    await Promise.all(known.map((token) => authenticator.authenticate(token).then(() => order.push('known'))));
    await unknown;
    expect(order).toEqual(['known', 'known', 'UNAVAILABLE']);
    // A moment later nobody waits, and nobody asks again.
    await authenticator.authenticate(await sign(ec.privateKey, 'ES256', 'e1', claimsOf({ jti: 'another' })));
    server.closeAllConnections();
  });

  it('does not use keys it has not been able to read again for an hour', async () => {
    const authenticator = authenticatorOf(settings);
    await authenticator.authenticate(await sign(rsa.privateKey, 'RS256', 'r1'));
    answer = () => ({ status: 500, body: '' });
    vi.setSystemTime(startMs + 3_500_000);
    expect((await authenticator.authenticate(await sign(ec.privateKey, 'ES256', 'e1'))).userId).toBe('alice');
    vi.setSystemTime(startMs + 3_600_000);
    const refusal = authenticator.authenticate(await sign(ed.privateKey, 'EdDSA', 'd1'));
    await expect(refusal).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

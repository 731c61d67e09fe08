import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, inject, it } from 'vitest';

interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const cli = join(inject('transpiledSource'), 'auth/token.cli.js');
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], { env, timeout: 10_000 }, (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

describe('npm run token', () => {
  it('prints the token and nothing else', async () => {
    const { code, out, err } = await run(['alice', '--scopes', 'admin,audit', '--expires', '60']);
    const { sub, scope, exp, iat } = decodeJwt(out.trim());
    expect({ code, err, sub, scope, lifetime: exp! - iat! }).toEqual({
      code: 0,
      err: '',
      sub: 'alice',
      scope: 'admin audit',
      lifetime: 60,
    });
  });

  it.each([
    ['under production', ['alice'], { NODE_ENV: 'production' }, 'NODE_ENV'],
    ['with a key set', ['alice'], { JWT_JWKS_URL: 'https://id.example/keys' }, 'JWT_JWKS_URL'],
    ['with a short secret', ['alice'], { JWT_SECRET: 'short' }, 'JWT_SECRET'],
    ['without a user id', [], {}, 'Usage'],
    ['with a lifetime that is no number', ['alice', '--expires', 'soon'], {}, 'expiry'],
  ])('refuses %s, in one line', async (_, args, env, word) => {
    const { code, out, err } = await run(args, env);
    expect([code, out, err.trimEnd().split('\n').length]).toEqual([1, '', 1]);
    expect(err).toContain(word);
  });
});

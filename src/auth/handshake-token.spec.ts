import { describe, expect, it } from 'vitest';
import { bearerToken, tokenOfHandshake } from './handshake-token.js';

describe('tokenOfHandshake', () => {
  it('prefers auth.token to the header', () => {
    expect(tokenOfHandshake({ auth: { token: 'a' }, headers: { authorization: 'Bearer b' } })).toBe('a');
  });

  it.each([[undefined], [null], ['a'], [[]], [{}], [{ token: '' }], [{ token: 7 }], [{ token: { toString: 'a' } }]])(
    'goes by the header when auth is %j',
    (auth) => {
      expect(tokenOfHandshake({ auth, headers: { authorization: 'Bearer b' } })).toBe('b');
      expect(tokenOfHandshake({ auth, headers: {} })).toBeNull();
    },
  );

  it('never looks at the query string', () => {
    const handshake = { auth: {}, headers: {}, query: { token: 'q' }, url: '/socket.io/?token=q' };
    expect(tokenOfHandshake(handshake)).toBeNull();
  });
});

describe('bearerToken', () => {
  it.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['bearer  a.b.c ', 'a.b.c'],
    ['Basic YTpi', null],
    ['Bearer', null],
    ['Bearer ', null],
    ['Bearer a b', null],
    [undefined, null],
    [['Bearer a'], null],
  ])('reads %j as %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

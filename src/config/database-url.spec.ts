import { describe, expect, it } from 'vitest';
import { readDatabaseUrl } from './database-url.js';

const plain = { user: 'u', password: 'p', database: 'd', ssl: false, sslnegotiation: 'postgres' };

describe('DATABASE_URL', () => {
  it.each<[url: string, hosts: [string, number][], more?: object]>([
    ['postgres://u:p@db/d', [['db', 5_432]]],
    ['postgresql://u:p@db:6000/d', [['db', 6_000]]],
    ['postgres://u:p@a:1,b:2,c/d', [['a', 1], ['b', 2], ['c', 5_432]]], // prettier-ignore
    ['postgres://u:p@a,b:2/d?target_session_attrs=read-write', [['a', 5_432], ['b', 2]]], // prettier-ignore
    ['postgres://u:p@[::1]:7/d', [['::1', 7]]],
    ['postgres://u:p@[2001:db8::1],[2001:db8::2]:7/d', [['2001:db8::1', 5_432], ['2001:db8::2', 7]]], // prettier-ignore
    ['postgres://u:p@/d?host=/var/run/postgresql', [['/var/run/postgresql', 5_432]]],
    ['postgres://u:p@/d?host=/run/pg&port=6000', [['/run/pg', 6_000]]],
    ['postgres://u:p@%2Frun%2Fpg/d', [['/run/pg', 5_432]]],
    ['postgres:///d?host=a,b&port=1,2&user=u&password=p', [['a', 1], ['b', 2]]], // prettier-ignore
    ['postgres://u@db/d?password=a+b', [['db', 5_432]], { password: 'a+b' }],
    ['postgres://u:p@/d', [['localhost', 5_432]]],
    ['postgres://u:p@db', [['db', 5_432]], { database: 'u' }],
    ['postgres://u:p@db/', [['db', 5_432]], { database: 'u' }],
    ['postgres://us%40er:p%40ss%2Fw%3Aord%25@db/d%20b', [['db', 5_432]], { user: 'us@er', password: 'p@ss/w:ord%', database: 'd b' }], // prettier-ignore
    ['postgres://u:p:q@db/d', [['db', 5_432]], { password: 'p:q' }],
    ['postgres://u@db/d', [['db', 5_432]], { password: '' }],
    ['postgres://u:p@db/d?sslmode=disable', [['db', 5_432]]],
    ['postgres://u:p@db/d?sslmode=verify-full', [['db', 5_432]], { ssl: {} }],
    ['postgres://u:p@db/d?sslmode=require', [['db', 5_432]], { ssl: {} }],
    ['postgres://u:p@db/d?sslmode=no-verify', [['db', 5_432]], { ssl: { rejectUnauthorized: false } }],
    ['postgres://u:p@db/d?ssl=true', [['db', 5_432]], { ssl: true }],
    ['postgres://u:p@db/d?schema=public&connection_limit=5', [['db', 5_432]]],
  ])('%s is read', (url, hosts, more = {}) => {
    const expected = { ...plain, hosts: hosts.map(([host, port]) => ({ host, port })), ...more };
    expect(readDatabaseUrl(url)).toEqual(expected);
  });

  it.each<[url: string, words: RegExp]>([
    ['', /must be a URL that starts with postgres:\/\//],
    ['mysql://u:secret@db/d', /must be a URL that starts with postgres:\/\//],
    ['u:secret@db/d', /must be a URL/],
    ['postgres://u:sec/ret@db/d', /port.*%2F/],
    ['postgres://u:sec#ret@db/d', /holds a #.*%23/],
    ['postgres://u:secret%@db/d', /%25/],
    ['postgres://u:secret%zz@db/d', /%25/],
    ['postgres://u:secret@db:0/d', /port/],
    ['postgres://u:secret@db:65536/d', /port/],
    ['postgres://u:secret@db:x/d', /port/],
    ['postgres://u:secret@a,b/d?port=1,2,3&host=a,b', /number of ports/],
    ['postgres://u:secret@[::1/d', /host that cannot be read/],
    ['postgres://u:secret@::1/d', /host that cannot be read|port/],
    ['postgres://u:secret@db/d?target_session_attrs=read-only', /target_session_attrs/],
    ['postgres://u:secret@db/d?sslmode=sometimes', /sslmode/],
    ['postgres://u:secret@db/d?sslmode=verify-full&sslrootcert=/no/such/file', /TLS.*ENOENT.*\/no\/such\/file/],
    ['postgres://u:secret@db/d?sslnegotiation=maybe', /sslnegotiation/],
  ])('%s is refused, and the words show no password', (url, words) => {
    expect(() => readDatabaseUrl(url)).toThrow(words);
    try {
      readDatabaseUrl(url);
    } catch (error) {
      expect(String(error)).not.toContain('sec');
    }
  });
});

import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RedisFaultLog } from './redis-fault-log.js';

let nowMs: number;
let lines: string[];
let log: RedisFaultLog;

beforeEach(() => {
  nowMs = 0;
  lines = [];
  for (const level of ['log', 'warn'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void lines.push(String(line)));
  }
  log = new RedisFaultLog('Test', () => nowMs);
});

afterEach(() => vi.restoreAllMocks());

it('tells a fault once, again after a minute, and that it ended', () => {
  for (; nowMs < 59_000; nowMs += 250) log.fault('connect ECONNREFUSED 127.0.0.1:1');
  expect(lines).toHaveLength(1);
  for (; nowMs < 61_000; nowMs += 250) log.fault('connect ECONNREFUSED 127.0.0.1:1');
  expect(lines).toHaveLength(2);
  log.works('Redis works');
  log.works('Redis works');
  expect(lines.slice(2)).toEqual(['Redis works']);
});

it('tells one that comes and goes no more than once in ten seconds', () => {
  for (; nowMs < 60_000; nowMs += 250) {
    log.fault('connect ECONNREFUSED 127.0.0.1:1');
    log.works('Redis works');
  }
  expect(lines.length).toBeLessThanOrEqual(2 * 6);
});

it.each([
  ['WRONGPASS invalid username-password pair', 'correct user and password'],
  ['self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)', 'NODE_EXTRA_CA_CERTS'],
  ['write EPROTO: ssl3_get_record:wrong version number', 'redis:// for a port without TLS'],
  ['getaddrinfo ENOTFOUND nowhere', 'check the host'],
  ['ERR DB index is out of range', 'correct the number'],
  ["NOPERM this user has no permissions to run the 'evalsha' command", 'grant its user'],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'tried again'],
])('tells a wrong setting apart from an outage: %s', (fault, todo) => {
  log.fault(fault);
  expect(lines).toEqual([expect.stringContaining(fault)]);
  expect(lines[0]).toContain(todo);
});

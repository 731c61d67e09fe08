import { describe, expect, it } from 'vitest';
import { clientNetwork } from './client-address.js';

const from = (remoteAddress?: string, forwarded?: string, trustsProxy = false) =>
  clientNetwork(
    { headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, socket: { remoteAddress } },
    trustsProxy,
  );

describe('clientNetwork', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('counts %s as %s', (address, network) => {
    expect(from(address)).toBe(network);
  });

  it('believes a proxy only where one is trusted', () => {
    expect(from('10.0.0.1', '2001:db8::1, 10.0.0.2')).toBe('10.0.0.1');
    expect(from('10.0.0.1', '2001:db8::1, 10.0.0.2', true)).toBe('2001:db8:0:0::/64');
    expect(from('10.0.0.1', undefined, true)).toBe('10.0.0.1');
  });

  it('keeps what a client makes up short', () => {
    expect(from('10.0.0.1', 'x'.repeat(5_000), true)).toHaveLength(64);
  });
});

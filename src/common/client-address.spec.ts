import { describe, expect, it } from 'vitest';
import { clientAddress, clientNetwork, isNetwork, type TrustedProxies } from './client-address.js';

const requestFrom = (remoteAddress: string, forwarded?: string) => ({
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  socket: { remoteAddress },
});

describe('clientAddress', () => {
  it.each<[string, string, string | undefined, TrustedProxies, string]>([
    ['is that of the connection', '203.0.113.7', undefined, 0, '203.0.113.7'],
    ['does not believe a client that names another', '203.0.113.7', '198.51.100.1', 0, '203.0.113.7'],
    ['is what one proxy says', '10.0.0.1', '198.51.100.1, 203.0.113.7', 1, '203.0.113.7'],
    ['is what two proxies say', '10.0.0.1', '198.51.100.1, 203.0.113.7', 2, '198.51.100.1'],
    ['ends with what is said', '10.0.0.1', '203.0.113.7', 5, '203.0.113.7'],
    ['is what proxies of a network say', '10.0.0.1', '1.1.1.1, 203.0.113.7, 10.9.9.9', ['10.0.0.0/8'], '203.0.113.7'],
    ['does not believe others', '192.0.2.1', '203.0.113.7', ['10.0.0.0/8'], '192.0.2.1'],
    ['knows IPv4 behind IPv6', '::ffff:10.0.0.1', '203.0.113.7', ['10.0.0.0/8'], '203.0.113.7'],
    ['is written as IPv4', '::ffff:203.0.113.7', undefined, 0, '203.0.113.7'],
    ['knows IPv6 networks', 'fd00::1', '2001:db8::7', ['fd00::/8'], '2001:db8::7'],
    ['leaves ports out', '10.0.0.1', '[2001:db8::7]:4711, 10.0.0.2:80', ['10.0.0.0/8'], '2001:db8::7'],
    ['stops at what is no address', '10.0.0.1', '203.0.113.7, unknown', 2, '10.0.0.1'],
  ])('%s', (_, remote, forwarded, proxies, address) => {
    expect(clientAddress(requestFrom(remote, forwarded), proxies)).toBe(address);
  });
});

it('isNetwork knows addresses and networks', () => {
  expect(['10.0.0.0/8', '10.0.0.1', '::1', 'fd00::/8', '0.0.0.0/0'].every(isNetwork)).toBe(true);
  expect(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'loopback', '', 'true', '10.0.0.0/', 7].some(isNetwork)).toBe(false);
});

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
    expect(clientNetwork({ headers: {}, socket: { remoteAddress: address } }, 0)).toBe(network);
  });

  it('believes a proxy only where one is trusted', () => {
    const request = requestFrom('10.0.0.1', '192.0.2.1, 2001:db8::1');
    expect(clientNetwork(request, 0)).toBe('10.0.0.1');
    expect(clientNetwork(request, 1)).toBe('2001:db8:0:0::/64');
    expect(clientNetwork(requestFrom('10.0.0.1'), 1)).toBe('10.0.0.1');
  });

  it('does not take what a client makes up for an address', () => {
    expect(clientNetwork(requestFrom('10.0.0.1', 'x'.repeat(5_000)), 1)).toBe('10.0.0.1');
  });
});

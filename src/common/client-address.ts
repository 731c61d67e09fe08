import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** How many proxies stand in front, or their networks (CIDR). 0 and an empty list: none. */
export type TrustedProxies = number | readonly string[];

/** The parts of a request that contain its origin. */
export interface AddressedRequest {
  headers: IncomingHttpHeaders;
  socket?: { remoteAddress?: string | undefined };
}

const known = new WeakMap<readonly string[], BlockList>();

/** Whether it is an address or a network in CIDR notation. */
export function isNetwork(text: unknown): boolean {
  return typeof text === 'string' && parsedNetwork(text) !== null;
}

/**
 * Whether an address is that of a proxy in front.
 *
 * @param hop 0 for the address that is connected to this server, 1 for the one before it, …
 */
export function isTrustedProxy(proxies: TrustedProxies, address: string, hop: number): boolean {
  if (typeof proxies === 'number') return hop < proxies;
  const plain = plainAddress(address);
  const version = isIP(plain);
  return version !== 0 && networksOf(proxies).check(plain, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The address a request comes from: that of the connection, or what the trusted proxies say in
 * `X-Forwarded-For`. A client can add entries at the front; they are ignored.
 *
 * IPv4 addresses are written as such, also where the connection is IPv6.
 */
export function clientAddress({ headers, socket }: AddressedRequest, proxies: TrustedProxies): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const before = forwarded.map(withoutPort).reverse();
  let address = plainAddress(socket?.remoteAddress ?? '');
  for (const [hop, earlier] of before.entries()) {
    if (isIP(earlier) === 0 || !isTrustedProxy(proxies, address, hop)) break;
    address = plainAddress(earlier);
  }
  return address;
}

/**
 * The address a request comes from, as limits count it: an IPv4 address, or the /64 network of an
 * IPv6 address, since one customer has all of that. `unknown` once the connection is gone.
 */
export function clientNetwork(request: AddressedRequest, proxies: TrustedProxies): string {
  return networkOf(clientAddress(request, proxies) || 'unknown');
}

/** Whether a request comes from a trusted proxy, so that its `X-Forwarded-*` counts. */
export function isFromProxy({ socket }: AddressedRequest, proxies: TrustedProxies): boolean {
  return isTrustedProxy(proxies, socket?.remoteAddress ?? '', 0);
}

// On a socket of both families the system writes IPv4 addresses as IPv6 ones.
function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

// Some proxies write `203.0.113.7:4711` and `[2001:db8::1]:4711`.
function withoutPort(text: string): string {
  const trimmed = text.trim();
  return /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
}

function networksOf(proxies: readonly string[]): BlockList {
  let list = known.get(proxies);
  if (!list) {
    list = new BlockList();
    for (const network of proxies) {
      const { address, bits, family } = parsedNetwork(network)!;
      list.addSubnet(address, bits, family);
    }
    known.set(proxies, list);
  }
  return list;
}

function parsedNetwork(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | null {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : Number(prefix);
  if (version === 0 || bits > most) return null;
  return { address, bits, family: version === 6 ? 'ipv6' : 'ipv4' };
}

/** An IPv4 address as it stands; of an IPv6 address its first 64 bits. */
function networkOf(address: string): string {
  const [withoutZone] = address.split('%');
  return isIPv6(withoutZone!) ? `${firstGroups(withoutZone!)}::/64` : address;
}

function firstGroups(address: string): string {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length - (address.includes('.') ? 1 : 0);
  const groups = [...before, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...after];
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}

import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/** What of a request says where it comes from. */
export type Addressed = Pick<IncomingMessage, 'headers'> & { socket?: { remoteAddress?: string | undefined } };

/**
 * The address a request comes from, as limits count it: an IPv4 address, or the /64 network of an
 * IPv6 address, since one customer has all of that. `unknown` once the connection is gone.
 *
 * @param trustsProxy whether `X-Forwarded-For` is believed (`TRUST_PROXY`)
 */
export function clientNetwork({ headers, socket }: Addressed, trustsProxy: boolean): string {
  const forwarded = trustsProxy ? headers['x-forwarded-for'] : undefined;
  const [first] = String(forwarded ?? '').split(',');
  return networkOf(first?.trim() || socket?.remoteAddress || 'unknown');
}

const mappedPrefix = '::ffff:';

/** An IPv4 address as it stands; of an IPv6 address its first 64 bits. */
function networkOf(address: string): string {
  const plain = address.toLowerCase().startsWith(mappedPrefix) ? address.slice(mappedPrefix.length) : address;
  const [withoutZone] = plain.split('%');
  return isIPv6(withoutZone!) ? `${firstGroups(withoutZone!)}::/64` : plain.slice(0, 64);
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

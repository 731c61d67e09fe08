import type { Socket } from 'socket.io';
import { clientAddress } from '../common/index.js';
import type { Settings } from '../config/index.js';

/** The address a socket comes from, by its handshake; see {@link clientAddress}. */
export function addressOf({ handshake }: Socket, { trustProxy }: Pick<Settings, 'trustProxy'>): string {
  return clientAddress({ headers: handshake.headers, socket: { remoteAddress: handshake.address } }, trustProxy);
}

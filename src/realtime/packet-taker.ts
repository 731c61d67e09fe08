import type { Socket } from 'socket.io';

/**
 * Takes an event packet: its name, its payloads and, last, the ack callback where the client gave
 * one.
 */
export type PacketTaker = (packet: unknown[]) => void;

/**
 * Hands every event packet of a socket to `take`, and none of them on.
 *
 * By the public way, middleware, which copies the list of middlewares and makes three closures for
 * each packet; or, when `isDirect`, in place of Socket.IO's `dispatch`, right after it has made the
 * ack callback and told `onAny` listeners (ADR-0012). On neither way a packet reaches Node's event
 * emitter, where an event named `error` ends the process.
 */
export function takePackets(socket: Socket, isDirect: boolean, take: PacketTaker): void {
  if (isDirect) (socket as unknown as { dispatch: PacketTaker }).dispatch = take;
  else socket.use((packet) => take(packet));
}

import { Injectable } from '@nestjs/common';
import type { Server } from 'socket.io';
import { EncodedOnce } from '../common/index.js';
import { wideAt, type CoalescedWrites } from './coalesced-writes.js';
import type { Connection } from './connection.js';
import { textFrameOf } from './websocket-frames.js';

/** What this file uses of Socket.IO beyond its types: how its own adapter writes a broadcast. */
interface EngineWriter {
  writeToEngine(packets: readonly string[], options: object): void;
}

// Socket.IO's packet type for events in the default namespace, and Engine.IO's for messages.
const eventPacket = '2';
const engineMessage = '4';

/**
 * Writes one event to many sockets of this node, encoding it once (ADR-0009).
 *
 * As Socket.IO's own broadcast does, packet and WebSocket frame are made once; what is spared is
 * finding the sockets again by their rooms and looking for binary parts. Events go out in the order
 * of the calls, and stay in line with what is sent by `socket.emit`. `COALESCE_WRITES=false` goes
 * by Socket.IO's public methods instead.
 */
@Injectable()
export class PacketWriter {
  private server: Server | null = null;
  private coalesced: CoalescedWrites | null = null;

  /**
   * Called by the adapter when the Socket.IO server exists. @param coalesced null: left to
   * Socket.IO
   */
  attach(server: Server, coalesced: CoalescedWrites | null): void {
    this.server = server;
    this.coalesced = coalesced;
  }

  /**
   * @param connections each at most once
   * @param payload plain JSON, without binary parts
   */
  write(connections: readonly Connection[], event: string, payload: unknown): void {
    const open = connections.filter((connection) => !connection.hold(event, payload));
    if (open.length === 0 || this.server === null) return;
    const { coalesced } = this;
    if (coalesced && open.length >= wideAt) coalesced.widely(() => writeEncoded(open, event, payload));
    else if (coalesced) writeEncoded(open, event, payload);
    else this.server.local.to(open.map((connection) => connection.id)).emit(event, payload);
  }
}

function writeEncoded(connections: readonly Connection[], event: string, payload: unknown): void {
  const packet = eventPacket + encodeEvent(event, payload);
  const packets = [packet];
  // For one socket the frame is made when it is written, together with the turn's other packets.
  const frame = connections.length > 1 ? [textFrameOf(engineMessage + packet)] : undefined;
  const options = { preEncoded: true, wsPreEncodedFrame: frame };
  for (const { socket } of connections) {
    if (socket.connected) (socket as unknown as { client: EngineWriter }).client.writeToEngine(packets, options);
  }
}

function encodeEvent(event: string, payload: unknown): string {
  return payload instanceof EncodedOnce ? `["${event}",${payload.json}]` : JSON.stringify([event, payload]);
}

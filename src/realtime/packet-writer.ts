import { Injectable } from '@nestjs/common';
import type { Server } from 'socket.io';
import type { Connection } from './connection.js';

/** Writes one event to many sockets of this node, encoding it once. */
@Injectable()
export class PacketWriter {
  private server: Server | null = null;

  /** Called by the adapter when the Socket.IO server exists. */
  attach(server: Server): void {
    this.server = server;
  }

  /** @param connections each at most once */
  write(connections: readonly Connection[], event: string, payload: unknown): void {
    const open = connections.filter((connection) => !connection.hold(event, payload));
    if (open.length === 0 || this.server === null) return;
    if (open.length === 1) open[0]!.socket.emit(event, payload);
    else this.server.local.to(open.map((connection) => connection.id)).emit(event, payload);
  }
}

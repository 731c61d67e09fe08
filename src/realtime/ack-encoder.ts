import { Encoder, PacketType, type Packet } from 'socket.io-parser';
import { EncodedOnce, encodeParts } from '../common/index.js';

interface Answer {
  ok?: unknown;
  data?: { message?: unknown };
}

/**
 * Socket.IO's encoder, which puts a message that is encoded already into an ack as it is
 * (ADR-0009).
 */
export class AckEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    const { type, nsp, id, data } = packet as { type: PacketType; nsp: string; id?: number; data?: unknown };
    if (type !== PacketType.ACK || nsp !== '/' || !Array.isArray(data) || data.length !== 1)
      return super.encode(packet);
    const { ok, data: body } = (data[0] ?? {}) as Answer;
    if (ok !== true || !(body?.message instanceof EncodedOnce)) return super.encode(packet);
    return [`${PacketType.ACK}${id}[{"ok":true,"data":${encodeParts(body)}}]`];
  }
}

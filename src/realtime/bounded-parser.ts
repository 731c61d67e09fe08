import { Decoder, Encoder, type Packet } from 'socket.io-parser';

/** Stands in place of a payload that was above `MAX_PACKET_BYTES`, so that its event can be answered. */
export class OversizePayload {}

/**
 * A Socket.IO parser that knows the size of each packet: one above the limit is still decoded, for its event name and
 * ack id, but its payload is dropped. What is above the transport's limit never comes here: it closes the connection.
 *
 * @param maxPacketBytes of the packet as text, UTF-8
 */
export function boundedParser(maxPacketBytes: number): { Encoder: typeof Encoder; Decoder: typeof Decoder } {
  class BoundedDecoder extends Decoder {
    private isOversize = false;

    override add(data: unknown): void {
      this.isOversize = isLargerThan(data, maxPacketBytes);
      super.add(data);
    }

    // `emitReserved` is how the base class reports a decoded packet; it is protected, so this is its public contract.
    override emitReserved(...args: Parameters<Decoder['emitReserved']>): this {
      const packet = args[1] as unknown as Packet;
      if (this.isOversize && Array.isArray(packet.data)) packet.data = [packet.data[0], new OversizePayload()];
      return super.emitReserved(...args);
    }
  }
  return { Encoder, Decoder: BoundedDecoder };
}

function isLargerThan(data: unknown, maxBytes: number): boolean {
  if (typeof data !== 'string') return Buffer.isBuffer(data) && data.length > maxBytes;
  // A UTF-16 unit is at most three bytes of UTF-8: most packets need no counting.
  return data.length * 3 > maxBytes && Buffer.byteLength(data) > maxBytes;
}

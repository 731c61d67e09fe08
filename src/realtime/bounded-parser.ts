import { Decoder, Encoder, type Packet } from 'socket.io-parser';
import { AckEncoder } from './ack-encoder.js';
import type { UnknownNamespaces } from './unknown-namespaces.js';

/**
 * Stands in place of a payload that was above `MAX_PACKET_BYTES`, so that its event can be
 * answered.
 */
export class OversizePayload {}

/**
 * A Socket.IO parser that knows the size of each packet: one above the limit is still decoded, for
 * its event name and ack id, but its payload is dropped. What is above the transport's limit never
 * comes here: it closes the connection.
 *
 * @param maxPacketBytes of the packet as text, UTF-8, and of its attachments
 * @param namespaces adds what a refused namespace's packet lacks
 */
export function boundedParser(
  maxPacketBytes: number,
  namespaces?: UnknownNamespaces,
): { Encoder: typeof Encoder; Decoder: typeof Decoder } {
  class BoundedDecoder extends Decoder {
    private bytes = 0;

    constructor(...args: ConstructorParameters<typeof Decoder>) {
      super(...args);
      // The first to hear of a packet. Overriding `emitReserved` would change nothing: the base
      // class calls its parent's.
      this.on('decoded', (packet: Packet) => {
        if (this.bytes > maxPacketBytes && Array.isArray(packet.data))
          packet.data = [packet.data[0], new OversizePayload()];
      });
    }

    /** Text begins a packet; binary data belongs to the one begun. */
    override add(data: unknown): void {
      this.bytes = sizeOf(data, maxPacketBytes) + (typeof data === 'string' ? 0 : this.bytes);
      super.add(data);
    }
  }
  class ExplainingEncoder extends AckEncoder {
    override encode(packet: Packet): unknown[] {
      return super.encode(namespaces?.explain(packet) ?? packet);
    }
  }
  return { Encoder: ExplainingEncoder, Decoder: BoundedDecoder };
}

/** @returns the bytes, or for a text that is surely within the limit an upper bound */
function sizeOf(data: unknown, maxBytes: number): number {
  if (typeof data !== 'string') return Buffer.isBuffer(data) ? data.length : 0;
  // A UTF-16 unit is at most three bytes of UTF-8: most packets need no counting.
  const atMost = data.length * 3;
  return atMost > maxBytes ? Buffer.byteLength(data) : atMost;
}

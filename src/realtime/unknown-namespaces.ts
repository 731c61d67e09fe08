import { PacketType, type Packet } from 'socket.io-parser';
import type { Server } from 'socket.io';
import { tokenOfHandshake, type SignIn } from '../auth/index.js';
import { assertHarmlessPayload, ChatError, newRandomId, type ErrorBody } from '../common/index.js';

type Decide = (error: Error | null, isAllowed: boolean) => void;

/**
 * Gives the refusal of a namespace there is not the `data` that every refused handshake has
 * (contract, section 1): a caller without a good token in `auth` learns that, and nobody else which
 * namespaces there are.
 *
 * Socket.IO refuses such a namespace before any middleware, with a text and nothing else. It asks
 * dynamic namespaces first, and sends its refusal in the same turn as their answer: in between,
 * {@link explain} knows what to add.
 */
export class UnknownNamespaces {
  private refusal: ErrorBody | null = null;

  constructor(private readonly signIn: SignIn) {}

  watch(server: Server): void {
    server.of((_name: string, auth: Record<string, unknown>, decide: Decide) => void this.refuse(auth, decide));
  }

  /** Called by the encoder. @returns the packet, with `data` where it is a refusal of ours */
  explain(packet: Packet): Packet {
    if (this.refusal === null || packet.type !== PacketType.CONNECT_ERROR) return packet;
    return { ...packet, data: { message: this.refusal.message, data: this.refusal } };
  }

  private async refuse(auth: Record<string, unknown>, decide: Decide): Promise<void> {
    const error = await this.reasonFor(auth);
    this.refusal = error.toBody(newRandomId());
    try {
      decide(null, false);
    } finally {
      this.refusal = null;
    }
  }

  private async reasonFor(auth: Record<string, unknown>): Promise<ChatError> {
    try {
      assertHarmlessPayload(auth);
      // Socket.IO does not say here whose connection it is: such tries are bounded by `packet-flood.ts`.
      await this.signIn.principalOf(tokenOfHandshake({ auth }), null);
      return new ChatError('NOT_FOUND', { message: 'No such namespace' });
    } catch (error) {
      return error instanceof ChatError ? error : new ChatError('INTERNAL', { cause: error });
    }
  }
}

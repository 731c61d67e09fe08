import { isOk } from './client.mjs';

/** Checks inside the run: what was acked reached each recipient once, and in order. */
export class Ledger {
  acked = 0;
  refused = 0;
  deliveries = 0;
  faults = 0;
  /** The answer to the first send that was not acked. */
  firstRefusal = null;
  #orderKey;
  #expected;
  #received;
  #last;

  /** @param orderKey what stands before a message's growing number in its packet */
  constructor(userCount, orderKey) {
    this.#orderKey = orderKey;
    this.#expected = new Uint32Array(userCount);
    this.#received = new Uint32Array(userCount);
    this.#last = new Float64Array(userCount);
  }

  /** A user received a message. It is counted, and is a fault unless it follows the last one. */
  hear(user, packet) {
    const order = this.orderOf(packet);
    if (order <= this.#last[user]) this.faults += 1;
    this.#last[user] = order;
    this.#received[user] += 1;
    this.deliveries += 1;
  }

  /** @param ack as it came */
  ack(ack, peers) {
    if (!isOk(ack)) {
      this.refused += 1;
      this.firstRefusal ??= ack.slice(0, 300);
      return;
    }
    this.acked += 1;
    for (const peer of peers) this.#expected[peer] += 1;
  }

  orderOf(packet) {
    const start = packet.indexOf(this.#orderKey) + this.#orderKey.length;
    return parseInt(packet.slice(start, start + 16), 10);
  }

  /** The number of the last message that a user received. */
  lastOf(user) {
    return this.#last[user];
  }

  get hasAll() {
    return this.lost === 0;
  }

  get lost() {
    return this.#sum((expected, received) => Math.max(0, expected - received));
  }

  /** Messages received whose send was not acked. */
  get extra() {
    return this.#sum((expected, received) => Math.max(0, received - expected));
  }

  #sum(difference) {
    return this.#expected.reduce((sum, expected, user) => sum + difference(expected, this.#received[user]), 0);
  }
}

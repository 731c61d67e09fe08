/**
 * Every recipient marks each message delivered and read, as an open app does; every sender receives
 * the receipts.
 */
export class Marks {
  refused = 0;
  #users;
  #clients;
  #ledger;
  /** By user: how far others have read, as this user heard. */
  #heardRead;

  constructor(users, clients, ledger) {
    this.#users = users;
    this.#clients = clients;
    this.#ledger = ledger;
    this.#heardRead = new Float64Array(users.length);
  }

  /** A joined user also receives the others' receipts in groups. */
  async join() {
    await Promise.all(
      this.#users.map(({ conversationId }, i) => this.#clients[i].ask('join-conversation', { conversationId })),
    );
  }

  mark(user, packet) {
    const { conversationId } = this.#users[user];
    const payload = { conversationId, seq: this.#ledger.orderOf(packet) };
    this.#clients[user].emit('mark-delivered', payload);
    this.#clients[user].emit('mark-read', payload);
  }

  hear(user, event, packet) {
    if (event === 'error') this.refused += 1;
    if (event !== 'messages-read') return;
    const { readSeq } = JSON.parse(packet.slice(2))[1];
    this.#heardRead[user] = Math.max(this.#heardRead[user], readSeq);
  }

  /** Users who have not heard yet that their peer has read everything (one to one). */
  get missing() {
    return this.#users.filter(({ peers }, user) => this.#heardRead[user] < this.#ledger.lastOf(peers[0])).length;
  }

  get hasAll() {
    return this.missing === 0;
  }
}

/** A Socket.IO client over {@link Wire}: Engine.IO 4, Socket.IO protocol 5, default namespace. */
import { Wire } from './wire.mjs';

const path = '/socket.io/?EIO=4&transport=websocket';

export class Client {
  #wire;
  #acks = new Map();
  #nextId = 0;
  #onPacket;
  #resolve;
  #reject;

  /** Resolves with the payload of `session-ready`. */
  ready;

  /** @param onPacket called with the event's name and the packet, not parsed: `42["name",{…}]` */
  constructor(url, auth, onPacket) {
    this.#onPacket = onPacket;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ready.catch(() => undefined);
    this.#wire = new Wire(url, path, (text) => this.#receive(text, auth), this.#reject);
  }

  /** @param done called with the ack, not parsed: `{"ok":true,…}`; left out: none is asked for */
  emit(event, payload, done) {
    if (!done) return this.#wire.send(`42${JSON.stringify([event, payload])}`);
    const id = this.#nextId++;
    this.#acks.set(id, done);
    this.#wire.send(`42${id}${JSON.stringify([event, payload])}`);
  }

  /** @returns the `data` of the ack. @throws Error when it is not `ok` */
  ask(event, payload) {
    return new Promise((resolve, reject) =>
      this.emit(event, payload, (ack) => (isOk(ack) ? resolve(JSON.parse(ack).data) : reject(new Error(ack)))),
    );
  }

  close() {
    this.#wire.close();
  }

  #receive(text, auth) {
    if (text.startsWith('42')) return this.#event(text);
    if (text.startsWith('43')) return this.#ack(text);
    if (text === '2') return this.#wire.send('3');
    if (text.startsWith('0')) return this.#wire.send(`40${JSON.stringify(auth)}`);
    if (text.startsWith('44')) this.#reject(new Error(text.slice(2)));
  }

  #event(text) {
    const name = text.slice(4, text.indexOf('"', 4));
    if (name === 'session-ready') this.#resolve(JSON.parse(text.slice(2))[1]);
    else this.#onPacket(name, text);
  }

  #ack(text) {
    const start = text.indexOf('[');
    const id = Number(text.slice(2, start));
    const done = this.#acks.get(id);
    if (!done) throw new Error(`a second ack, or one nobody asked for: ${text.slice(0, 80)}`);
    this.#acks.delete(id);
    done(text.slice(start + 1, -1));
  }
}

export const isOk = (ack) => ack.startsWith('{"ok":true');

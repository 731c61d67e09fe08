/**
 * A Socket.IO client reduced to its wire: what a load generator needs to be cheaper than what it
 * measures. Engine.IO 4 over WebSocket, Socket.IO protocol 5, default namespace.
 */
import WebSocket from 'ws';

export class WireClient {
  #socket;
  #acks = new Map();
  #nextId = 0;
  #onEvent;

  /** @param onEvent called with (event, payload) */
  constructor(url, auth, onEvent) {
    this.#onEvent = onEvent;
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    });
    this.ready = new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
      this.#socket.on('message', (data) => this.#receive(data.toString(), auth, resolve, reject));
    });
    this.ready.catch(() => undefined);
  }

  #receive(packet, auth, resolve, reject) {
    switch (packet[0]) {
      case '0':
        return this.#socket.send(`40${JSON.stringify(auth)}`);
      case '2':
        return this.#socket.send('3');
      case '4':
        return this.#message(packet, resolve, reject);
    }
  }

  #message(packet, resolve, reject) {
    switch (packet[1]) {
      case '2': {
        const [event, payload] = JSON.parse(packet.slice(2));
        if (event === 'session-ready') resolve(payload);
        return this.#onEvent(event, payload);
      }
      case '3': {
        const start = packet.indexOf('[');
        const id = Number(packet.slice(2, start));
        const done = this.#acks.get(id);
        this.#acks.delete(id);
        return done(JSON.parse(packet.slice(start))[0]);
      }
      case '4':
        return reject(new Error(packet.slice(2)));
    }
  }

  /** @param done called with the ack */
  emit(event, payload, done) {
    const id = this.#nextId++;
    this.#acks.set(id, done);
    this.#socket.send(`42${id}${JSON.stringify([event, payload])}`);
  }

  close() {
    this.#socket.removeAllListeners('close');
    this.#socket.close();
  }
}

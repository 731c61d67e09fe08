/** A client that speaks the wire protocol itself, and need not speak it well. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { patient } from '../setup/patience.js';
import { tokenFor } from './client.js';

const patienceMs = patient(5_000);

export class RawSocket {
  /** Socket.IO packets received so far, as text. */
  readonly heard: string[] = [];
  isClosed = false;
  answersPings = true;

  private constructor(readonly socket: WebSocket) {
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text !== '2') this.heard.push(text);
      else if (this.answersPings) socket.send('3');
    });
  }

  /** Connects without saying anything. */
  static async open(url: string, headers: Record<string, string> = {}, query = ''): Promise<RawSocket> {
    const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${query}`;
    const raw = new RawSocket(new WebSocket(address, { headers }));
    // A refused upgrade is an error, and then closed.
    await once(raw.socket, 'open').catch(() => undefined);
    return raw;
  }

  /** Connects and signs in. */
  static async connect(url: string, userId: string): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.send(`40${JSON.stringify({ token: await tokenFor(userId) })}`);
    await raw.hears((text) => text.startsWith('42["session-ready"'));
    return raw;
  }

  send(text: string | Buffer): void {
    this.socket.send(text);
  }

  /**
   * Resolves with the first matching packet, received already or later; rejects when the connection
   * ends.
   */
  async hears(matches: (text: string) => boolean): Promise<string> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = this.heard.find(matches);
      if (found !== undefined) return found;
      if (this.isClosed || Date.now() > deadline) {
        throw new Error(`not heard (${this.isClosed ? 'closed' : 'open'}): ${this.heard.join(' ').slice(0, 500)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The answer to the packet with this ack id. */
  async answer(id: number): Promise<{ ok: boolean; data?: unknown; error?: { code: string; event?: string } }> {
    const prefix = `43${id}[`;
    const text = await this.hears((one) => one.startsWith(prefix));
    return (JSON.parse(text.slice(prefix.length - 1)) as never[])[0]!;
  }

  async closes(): Promise<void> {
    if (!this.isClosed)
      await Promise.race([
        once(this.socket, 'close'),
        new Promise((_, reject) => setTimeout(() => reject(new Error('still open')), patienceMs)),
      ]);
  }

  close(): void {
    this.socket.terminate();
  }
}

/**
 * A WebSocket reduced to what a load generator needs, to be cheaper than what it measures: text
 * frames over a plain TCP socket, all sockets read into one buffer, and what is sent while one
 * piece of input is handled goes out as one write.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const inputBuffer = Buffer.allocUnsafe(256 * 1_024);
const endOfHeaders = '\r\n\r\n';
const opcode = { text: 1, close: 8 };

export class Wire {
  #socket;
  #rest = null;
  #isOpen = false;
  #frames = [];
  #mask = randomBytes(4);
  #onText;
  #onClose;

  /**
   * @param path of the upgrade request, with its query
   * @param onText called with the text of each frame
   * @param onClose called once, with why
   */
  constructor(url, path, onText, onClose) {
    const { hostname, port } = new URL(url);
    this.#onText = onText;
    this.#onClose = onClose;
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: inputBuffer, callback: (length, buffer) => this.#read(buffer.subarray(0, length)) },
    });
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end('closed'));
    const key = randomBytes(16).toString('base64');
    const headers = `Host: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${headers}${endOfHeaders}`);
  }

  /** @param text goes out with what else is sent in this turn */
  send(text) {
    this.#frames.push(this.#frameOf(text));
    if (this.#frames.length === 1) queueMicrotask(() => this.#flush());
  }

  close() {
    this.#onClose = () => undefined;
    this.#socket.destroy();
  }

  #flush() {
    const frames = this.#frames;
    this.#frames = [];
    this.#socket.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }

  #frameOf(text) {
    const length = Buffer.byteLength(text);
    if (length > 0xffff) throw new Error('a longer text needs another header');
    const start = length < 126 ? 6 : 8;
    const frame = Buffer.allocUnsafe(start + length);
    frame[0] = 0x80 | opcode.text;
    frame[1] = 0x80 | (length < 126 ? length : 126);
    if (length >= 126) frame.writeUInt16BE(length, 2);
    frame.set(this.#mask, start - 4);
    frame.write(text, start);
    for (let i = 0; i < length; i++) frame[start + i] ^= this.#mask[i & 3];
    return frame;
  }

  #read(chunk) {
    const input = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = this.#isOpen ? 0 : this.#openedAt(input);
    for (let next; at !== null && (next = this.#frameAt(input, at)) !== null;) at = next;
    // The buffer is everybody's: what waits for its other half is copied.
    this.#rest = at === null ? Buffer.from(input) : at < input.length ? Buffer.from(input.subarray(at)) : null;
  }

  #openedAt(input) {
    const end = input.indexOf(endOfHeaders);
    if (end < 0) return null;
    this.#isOpen = input.latin1Slice(0, 12) === 'HTTP/1.1 101';
    if (!this.#isOpen) this.#end(input.latin1Slice(0, end));
    return end + endOfHeaders.length;
  }

  /** @returns where the next frame begins; null: this one is not whole */
  #frameAt(input, at) {
    if (input.length < at + 2) return null;
    let length = input[at + 1] & 0x7f;
    let start = at + 2;
    if (length >= 126) {
      const bytes = length === 126 ? 2 : 8;
      if (input.length < start + bytes) return null;
      length = bytes === 2 ? input.readUInt16BE(start) : Number(input.readBigUInt64BE(start));
      start += bytes;
    }
    const end = start + length;
    if (input.length < end) return null;
    const kind = input[at] & 0x0f;
    if (kind === opcode.text) this.#onText(input.utf8Slice(start, end));
    else if (kind === opcode.close) this.#end(`closed with ${length >= 2 ? input.readUInt16BE(start) : 'no code'}`);
    return end;
  }

  #end(reason) {
    const onClose = this.#onClose;
    this.#onClose = () => undefined;
    this.#socket.destroy();
    onClose(reason);
  }
}

import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';

/**
 * An upgrade request whose socket travels with this message from one node to the launcher and on to
 * another node.
 */
export interface HandOver {
  /** Number of the receiving node. */
  handOver: number;
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  /** Bytes that followed the request's head, in base64. */
  head: string;
}

export function isHandOver(message: unknown): message is HandOver {
  return typeof message === 'object' && message !== null && 'handOver' in message;
}

/**
 * Leaves all further bytes in the kernel, for the process that gets the socket next.
 *
 * `pause()` is not enough: it reads on until a buffer is full, and the sender of a handle keeps its
 * copy until the other side has confirmed. Bytes read meanwhile are lost: without this, about one
 * upgrade in twenty missed its first frame.
 */
export function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle?: { readStop(): void } };
  handle?.readStop();
}

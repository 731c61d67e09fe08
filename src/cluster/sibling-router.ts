import type { INestApplicationContext } from '@nestjs/common';
import { createServer, IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ownerOf, ownPort, type ClusterNode } from './cluster-node.js';
import { isHandOver, stopReading, type HandOver } from './hand-over.js';

interface HttpApplication extends INestApplicationContext {
  getHttpServer(): Server;
}

// Engine.IO's answer to a session it does not know: the client makes a new one.
const unknownSession = '{"code":1,"message":"Session ID unknown"}';

/**
 * Routes each request to the node that made its session.
 *
 * A browser uses one connection for many sessions, so routing by connection is not enough. Long
 * polls of another node's session are forwarded to that node's port. A WebSocket upgrade is passed
 * as the open socket, which costs nothing afterwards and does not tie the two nodes together.
 *
 * @param app initialised, not listening yet
 * @param port of all nodes; this node's own is opened here
 */
export async function routeToSiblings(app: HttpApplication, node: ClusterNode, port: number): Promise<void> {
  const server = app.getHttpServer();
  intercept(server, 'request', (incoming: IncomingMessage, response: ServerResponse) => {
    const owner = siblingOf(incoming, node);
    if (owner !== null) forward(incoming, response, ownPort(port, owner));
    return owner !== null;
  });
  intercept(server, 'upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const owner = siblingOf(incoming, node);
    if (owner !== null) handOver(incoming, socket, head, owner);
    return owner !== null;
  });
  process.on('message', (message: unknown, socket: Socket | undefined) => {
    if (isHandOver(message) && socket) takeOver(server, message, socket);
  });
  await openOwnPort(server, ownPort(port, node.number));
}

function siblingOf({ url }: IncomingMessage, { number }: ClusterNode): number | null {
  const owner = ownerOf(url ?? '');
  return owner === number ? null : owner;
}

/** Puts `take` before the existing listeners; they receive only the requests that it leaves. */
function intercept<A extends unknown[]>(server: Server, event: string, take: (...args: A) => boolean): void {
  const listeners = server.listeners(event) as ((...args: A) => void)[];
  server.removeAllListeners(event);
  server.on(event, (...args: unknown[]) => {
    if (!take(...(args as A))) for (const listener of listeners) listener.apply(server, args as A);
  });
}

function forward(incoming: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url: path, headers } = incoming;
  const sibling = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.on('error', () => response.destroy()).pipe(response);
  });
  sibling.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(400, { 'content-type': 'application/json' }).end(unknownSession);
  });
  response.on('close', () => sibling.destroy());
  incoming.pipe(sibling);
}

/** Through the launcher, which has a channel to every node. */
function handOver(incoming: IncomingMessage, socket: Socket, head: Buffer, to: number): void {
  const { method, url, headers, rawHeaders } = incoming;
  const message: HandOver = { handOver: to, method, url, headers, rawHeaders, head: head.toString('base64') };
  stopReading(socket);
  // Else Node's channel would make this server's end wait for that of a socket which is not its own
  // any more.
  Object.assign(socket, { server: null });
  process.send!(message, socket, {}, () => socket.destroy());
}

function takeOver(server: Server, { method, url, headers, rawHeaders, head }: HandOver, socket: Socket): void {
  socket.on('error', () => undefined);
  const request = Object.assign(new IncomingMessage(socket), { method, url, headers, rawHeaders });
  Object.assign(request, { httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: true });
  server.emit('upgrade', request, socket, Buffer.from(head, 'base64'));
}

async function openOwnPort(server: Server, port: number): Promise<void> {
  const own = createServer((incoming, response) => void server.emit('request', incoming, response));
  // Exclusive: not shared with the siblings, as the port of all is.
  await new Promise<void>((resolve, reject) => {
    own.once('error', reject).listen({ port, host: '127.0.0.1', exclusive: true }, resolve);
  });
  own.unref();
  server.once('close', () => own.close());
}

import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A reverse proxy on loopback that adds its client to `X-Forwarded-For`, upgrades included. */
export class ForwardingProxy {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(targetPort: number): Promise<ForwardingProxy> {
    const server = createServer((incoming, outgoing) => {
      const onward = forward(incoming, targetPort).on('response', (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    server.on('upgrade', (incoming: IncomingMessage, client: Duplex) => {
      const onward = forward(incoming, targetPort).on('upgrade', (answer, upstream: Duplex) => {
        const head = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
        client.write(`HTTP/1.1 101 Switching Protocols\r\n${head.join('')}\r\n`);
        for (const end of [client, upstream]) end.on('error', () => undefined);
        upstream.pipe(client).pipe(upstream);
      });
      onward.on('error', () => client.destroy()).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ForwardingProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function forward({ method, url, headers, socket }: IncomingMessage, port: number) {
  const before = headers['x-forwarded-for'];
  const client = socket.remoteAddress!;
  const forwarded = before === undefined ? client : `${String(before)}, ${client}`;
  return request({ host: '127.0.0.1', port, method, path: url, headers: { ...headers, 'x-forwarded-for': forwarded } });
}

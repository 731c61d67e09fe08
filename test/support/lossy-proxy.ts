/** A TCP proxy between a client and a server that fails the way networks do. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../src/embedded/index.js';

type Direction = 'toServer' | 'toClient';

interface Link {
  client: Socket;
  server: Socket;
}

/**
 * Forwards TCP connections to one address, until a test injects a fault.
 *
 * - {@link cut}: both sides are reset, as by a firewall that restarts.
 * - {@link swallow}: bytes of one direction (or both: a black hole; one: half open) vanish, and
 *   neither side notices. Connections stay so until they are cut, also when new ones flow again.
 */
export class LossyProxy {
  private readonly links = new Set<Link>();
  private swallowed = new Set<Direction>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private targetPort: number,
  ) {}

  static async to(targetPort: number, targetHost = '127.0.0.1'): Promise<LossyProxy> {
    const port = await freePort();
    const server = createServer({ noDelay: true });
    const proxy = new LossyProxy(server, port, targetPort);
    server.on('connection', (client) =>
      proxy.link(client, connect({ port: proxy.targetPort, host: targetHost, noDelay: true })),
    );
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * From now on bytes of these directions vanish; none: everything flows, on connections made
   * later.
   */
  swallow(...directions: Direction[]): void {
    this.swallowed = new Set(directions);
  }

  /** Leads connections made from now on elsewhere. */
  retarget(targetPort: number): void {
    this.targetPort = targetPort;
  }

  /** Resets every connection. */
  cut(): void {
    for (const { client, server } of this.links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.links.clear();
  }

  async stop(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private link(client: Socket, server: Socket): void {
    const link = { client, server };
    this.links.add(link);
    this.pipe(link, client, server, 'toServer');
    this.pipe(link, server, client, 'toClient');
  }

  private pipe(link: Link, from: Socket, to: Socket, direction: Direction): void {
    let isLost = false;
    from.on('data', (bytes) => {
      // A stream that lost bytes once cannot go on later.
      isLost ||= this.swallowed.has(direction);
      if (!isLost) to.write(bytes);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      if (link.client.closed && link.server.closed) this.links.delete(link);
      if (!isLost && !this.swallowed.has(direction)) to.end();
    });
  }
}

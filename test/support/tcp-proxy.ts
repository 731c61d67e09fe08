/** A way to a service that can be cut, closed and frozen, as seen by one node only. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../src/embedded/index.js';

export class TcpProxy {
  private readonly pairs = new Set<[Socket, Socket]>();
  private server: Server | null = null;
  private isFrozen = false;

  private constructor(
    private target: URL,
    readonly port: number,
  ) {}

  /** @param url of the service: `postgres://…`, `redis://…`, `http://…` */
  static async start(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url), await freePort());
    await proxy.open();
    return proxy;
  }

  /** The service's URL, by this way. */
  get url(): string {
    const url = new URL(this.target.href);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  /** Leads new connections elsewhere. */
  retarget(url: string): void {
    this.target = new URL(url);
  }

  /** Takes connections again. */
  async open(): Promise<void> {
    if (this.server) return;
    this.server = createServer({ allowHalfOpen: false }, (client) => this.join(client)).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Ends all connections; new ones are taken. */
  cut(): void {
    for (const [client, service] of this.pairs) {
      client.resetAndDestroy();
      service.destroy();
    }
  }

  /** Ends all connections and refuses new ones. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  /** Carries nothing any more, but keeps and takes connections: the service seems to hang. */
  freeze(): void {
    this.isFrozen = true;
    for (const [client, service] of this.pairs) {
      client.pause();
      service.pause();
    }
  }

  thaw(): void {
    this.isFrozen = false;
    for (const [client, service] of this.pairs) {
      client.resume();
      service.resume();
    }
  }

  private join(client: Socket): void {
    const service = connect(Number(this.target.port), this.target.hostname);
    const pair: [Socket, Socket] = [client, service];
    this.pairs.add(pair);
    for (const [from, to] of [pair, [service, client]] as const) {
      from.on('error', () => undefined);
      from.on('close', () => {
        this.pairs.delete(pair);
        to.destroy();
      });
      from.on('data', (chunk) => void to.write(chunk));
    }
    if (this.isFrozen) for (const socket of pair) socket.pause();
  }
}

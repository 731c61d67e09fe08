/** The load balancer in front of the nodes: new connections go to nodes that say they are ready. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../src/embedded/index.js';
import type { NodeService } from './node.service.js';

const probeIntervalMs = 1_000;
const probeTimeoutMs = 1_000;

export class Balancer {
  private readonly ready = new Set<NodeService>();
  private readonly timer: NodeJS.Timeout;
  private readonly sockets = new Set<Socket>();
  private turn = 0;

  private constructor(
    private nodes: readonly NodeService[],
    private readonly server: Server,
    readonly port: number,
  ) {
    server.on('connection', (client) => this.join(client));
    this.timer = setInterval(() => this.probe(), probeIntervalMs);
    this.probe();
  }

  static async start(nodes: readonly NodeService[]): Promise<Balancer> {
    const balancer = new Balancer(nodes, createServer({ noDelay: true }), await freePort());
    balancer.server.listen(balancer.port, '127.0.0.1');
    await once(balancer.server, 'listening');
    return balancer;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  /** Leads new connections to these from now on. */
  lead(nodes: readonly NodeService[]): void {
    this.nodes = nodes;
    this.ready.clear();
    this.probe();
  }

  private probe(): void {
    for (const node of this.nodes) void this.probeOne(node);
  }

  private async probeOne(node: NodeService): Promise<void> {
    const answer = fetch(`${node.url}/health/ready`, { signal: AbortSignal.timeout(probeTimeoutMs) });
    const isReady = await answer.then(
      async (response) => (await response.arrayBuffer(), response.ok),
      () => false,
    );
    if (isReady) this.ready.add(node);
    else this.ready.delete(node);
  }

  /** In turn among the ready; if none is, among all: better a node that may refuse than nobody. */
  private choose(): NodeService {
    const choice = this.ready.size > 0 ? [...this.ready] : this.nodes;
    this.turn += 1;
    return choice[this.turn % choice.length]!;
  }

  private join(client: Socket): void {
    const node = connect({ port: this.choose().port, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}

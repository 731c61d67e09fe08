import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DrainState } from './drain-state.js';

/**
 * The REST side of a drain: requests under way are answered before the process ends, and clients
 * that keep connections are told with each answer to make a new one, elsewhere. Nest would cut
 * whatever is open.
 */
@Injectable()
export class RequestDrain implements OnApplicationBootstrap {
  private readonly open = new Set<ServerResponse>();
  private finished: (() => void) | null = null;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly state: DrainState,
  ) {}

  onApplicationBootstrap(): void {
    this.server?.prependListener('request', (request, response) => this.note(request, response));
  }

  /** Takes no more connections, and resolves when every request under way is answered. */
  async finish(): Promise<void> {
    this.server?.close();
    for (const response of this.open) farewell(response);
    if (this.open.size > 0) await new Promise<void>((resolve) => (this.finished = resolve));
  }

  private get server(): Server | undefined {
    return (this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined)?.getHttpServer() as Server | undefined;
  }

  private note(request: IncomingMessage, response: ServerResponse): void {
    if (this.state.isDraining) farewell(response);
    // Polls are open for as long as their socket is, which has a drain of its own.
    if (request.url?.startsWith('/socket.io/')) return;
    this.open.add(response);
    response.once('close', () => {
      this.open.delete(response);
      if (this.open.size === 0) this.finished?.();
    });
  }
}

function farewell(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

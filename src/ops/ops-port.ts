import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { listenOnFurther } from './further-listeners.js';
import { listenHosts } from './listen-hosts.js';

const viaOpsPort = new WeakSet<IncomingMessage>();

/** Routes of Parley that only the second port answers, as long as there is one. */
export const ownOpsPaths = ['/metrics', '/v1/auth/revoke', '/v1/webhooks'];
/** Those and what the reference server adds. */
export const opsPaths = [...ownOpsPaths, '/docs', '/docs-json'];
const onBoth = ['/health'];

/** Lets a request through only where it came in by the port that carries operations. */
export function onlyOnOpsPort(settings: Pick<Settings, 'opsPort'>) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const isHere = settings.opsPort === 0 || viaOpsPort.has(request);
    next(isHere ? undefined : new ChatError('NOT_FOUND'));
  };
}

/** Keeps everything but operations off the second port. */
export function onlyOpsOnOpsPort(request: Request, _response: Response, next: NextFunction): void {
  const path = `${request.path.toLowerCase()}/`;
  const isOps = [...onBoth, ...opsPaths].some((known) => path.startsWith(`${known}/`));
  next(!viaOpsPort.has(request) || isOps ? undefined : new ChatError('NOT_FOUND'));
}

/**
 * The second port (`OPS_PORT`): the same application, of which only health, metrics, documents
 * and the routes of administrators can be reached here.
 *
 * Opens with the application. Closes with it too, after the drain has begun, so that readiness is
 * seen to turn red.
 */
@Injectable()
export class OpsPort implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly settings: Settings,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.settings.opsPort === 0) return;
    const handle = this.host.httpAdapter.getInstance<RequestListener>();
    const server = createServer((request, response) => {
      viaOpsPort.add(request);
      handle(request, response);
    });
    this.server = server;
    const [first, ...further] = await listenHosts(this.settings.opsHost);
    await once(server.listen(this.settings.opsPort, first), 'listening');
    await listenOnFurther(server, further);
  }

  beforeApplicationShutdown(): void {
    this.server?.close();
    this.server?.unref();
  }
}

import type { IncomingMessage, Server } from 'node:http';
import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { NestApplicationOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { RequestAdmission } from '../auth/index.js';
import {
  asChatError,
  ChatError,
  clientNetwork,
  isFromProxy,
  isTrustedProxy,
  ProblemDetailsFilter,
  sendProblem,
  type TrustedProxies,
} from '../common/index.js';
import type { Settings } from '../config/index.js';
import { boundBody, StrangerLimits, type StrangerHold } from '../realtime/index.js';
import { answerInTime } from './answer-in-time.js';
import { allowOrigins } from './cross-origin.js';
import type { ParleyLogger } from './logger.js';
import { noStore } from './no-store.js';
import { onlyOnOpsPort, onlyOpsOnOpsPort, opsPaths } from './ops-port.js';
import { requestId } from './request-id.middleware.js';
import { requestLog } from './request-log.js';

/**
 * Options {@link configureHttp} relies on: it brings the one body parser, JSON within
 * `MAX_PACKET_BYTES`.
 */
export const httpAppOptions = { bodyParser: false } satisfies NestApplicationOptions;

/**
 * Sets up REST for the reference server: request ids, the log, security headers, origins, the body
 * parser, problem details, time-outs.
 *
 * Call it before anything else is put on the application, once, with an application made with
 * {@link httpAppOptions}. Every answer under `/v1` says `Cache-Control: no-store`.
 */
export function configureHttp(app: NestExpressApplication, settings: Settings, logger: ParleyLogger): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', (address: string, hop: number) => isTrustedProxy(settings.trustProxy, address, hop));
  app.set('query parser', 'simple');
  app.use(requestId, requestLog(logger.pino, settings), helmet(helmetOptions));
  app.use('/v1', noStore, refuseOtherAddresses);
  allowOrigins(app, settings);
  app.use(onlyOpsOnOpsPort);
  app.use(opsPaths, onlyOnOpsPort(settings));
  if (!settings.metricsEnabled) app.use('/metrics', notHere);
  app.use(boundBodies(app.get(StrangerLimits), settings.trustProxy));
  app.use('/v1', admitRequests(app.get(RequestAdmission)));
  app.use(refuseOtherBodies);
  // `verify` is the parser's own option, which Nest's type leaves out.
  const parserOptions = { limit: settings.maxPacketBytes, verify: noteOtherBytes };
  app.useBodyParser('json', parserOptions);
  app.use(refuseOtherBytes);
  app.use(answerInTime(settings.eventTimeoutMs));
  app.useGlobalFilters(new ProblemDetailsFilter());
  Object.assign(app.getHttpServer() as object, { maxHeaderSize });
  boundTimes(app.getHttpServer());
  boundSilence(app.getHttpServer(), app.get(StrangerLimits), settings.trustProxy);
}

// For tokens up to `MAX_TOKEN_BYTES`; Node's own limit is 16 KiB.
const maxHeaderSize = 65_536;

const helmetOptions = {
  contentSecurityPolicy: {
    directives: {
      // The documents page has inline styles; scripts are files.
      'script-src': ["'self'"],
      // Else browsers turn the page's own http:// links into https:// ones a development server does not have.
      'upgrade-insecure-requests': null,
    },
  },
};

function notHere(_request: Request, _response: Response, next: NextFunction): void {
  next(new ChatError('NOT_FOUND'));
}

/**
 * Signs requests in before their bodies are read: every route under `/v1` takes a token (contract,
 * section 8), so a body without one costs nothing, and one at fault is charged to its user.
 */
function admitRequests(admission: RequestAdmission) {
  return (request: Request, response: Response, next: NextFunction): void => {
    admission.admit(request, response).then(
      () => next(),
      (error: unknown) => sendProblem(request, response, asChatError(error)),
    );
  };
}

// The parser would pass another body over in silence, and the handler would see none.
function refuseOtherBodies(request: Request, _response: Response, next: NextFunction): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  if (hasBody && !request.is('application/json')) throw unreadable('The body must be application/json');
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (hasBody && charset !== undefined && !/^utf-?8$/i.test(charset)) throw unreadable('The body must be UTF-8');
  next();
}

/** Bodies that the parser decodes with replacements, in silence. */
const notUtf8 = new WeakSet<IncomingMessage>();

// An error thrown here would become the parser's own, with another status.
function noteOtherBytes(request: IncomingMessage, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) notUtf8.add(request);
}

function refuseOtherBytes(request: Request, _response: Response, next: NextFunction): void {
  if (notUtf8.has(request)) throw unreadable('The body must be UTF-8');
  next();
}

/** Node reads a path and a query byte by byte; what is escaped there must be UTF-8 as well. */
function refuseOtherAddresses(request: Request, _response: Response, next: NextFunction): void {
  const bytes = request.originalUrl.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  if (!isUtf8(Buffer.from(bytes, 'latin1'))) throw unreadable('The address must be UTF-8');
  next();
}

function unreadable(message: string): ChatError {
  return new ChatError('VALIDATION_FAILED', { message, details: [{ path: '', message }] });
}

/** A body arrives while its token is looked at. */
function boundBodies(limits: StrangerLimits, proxies: TrustedProxies) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    boundBody(request, limits.body(clientNetwork(request, proxies)));
    next();
  };
}

/**
 * A link counts until its first request has arrived: half a header, or nothing at all, costs the
 * server as much as a user does. Behind a proxy all links are the proxy's, which bounds them.
 */
function boundSilence(server: Server, limits: StrangerLimits, proxies: TrustedProxies): void {
  const holds = new WeakMap<object, StrangerHold>();
  const hasArrived = ({ socket }: IncomingMessage): void => holds.get(socket)?.end();
  server.on('connection', (socket: Socket) => {
    if (isFromProxy({ headers: {}, socket }, proxies)) return;
    const address = clientNetwork({ headers: {}, socket }, 0);
    if (!limits.hasRoom(address)) return void socket.destroy();
    const hold = limits.link(address);
    holds.set(socket, hold);
    socket.on('close', () => hold.end());
  });
  // Engine.IO takes the listeners that were there before it away for its own path.
  server.once('listening', () => {
    server.prependListener('request', hasArrived);
    server.prependListener('upgrade', hasArrived);
  });
}

function boundTimes(server: Server): void {
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  // Above the usual 60 s of load balancers: the one that keeps a connection shorter is the one that
  // closes it.
  server.keepAliveTimeout = 65_000;
}

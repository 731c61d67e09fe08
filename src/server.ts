import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Settings } from './config/index.js';
import { configureHttp, httpAppOptions, ParleyLogger, setupDocs } from './ops/index.js';
import { ParleyModule, type ParleyExtensions } from './parley.module.js';
import { ParleyIoAdapter, type EdgeOptions } from './realtime/index.js';

/**
 * Makes the reference server: the module, REST with its documents, and the Socket.IO edge. Not
 * listening yet.
 *
 * @param settings complete, with the URLs of the services
 * @param edge what a launcher of several nodes adds
 */
export async function createServer(
  settings: Settings,
  extensions: ParleyExtensions = {},
  edge?: EdgeOptions | null,
): Promise<NestExpressApplication> {
  const logger = new ParleyLogger(settings);
  const app = await NestFactory.create<NestExpressApplication>(ParleyModule.forRoot({ ...extensions, settings }), {
    ...httpAppOptions,
    logger,
    abortOnError: false,
    forceCloseConnections: true,
  });
  configureHttp(app, settings, logger);
  app.useWebSocketAdapter(new ParleyIoAdapter(app, edge ?? {}));
  setupDocs(app, settings);
  return app;
}

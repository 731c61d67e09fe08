import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  configureHttp,
  httpAppOptions,
  ParleyIoAdapter,
  ParleyLogger,
  Settings,
  type SettingsValues,
} from '../../src/index.js';
import { ShopModule } from './shop.module.js';

/** Makes the application, not listening yet. */
export async function createShop(values: Partial<SettingsValues>): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ShopModule.with(values), {
    ...httpAppOptions,
    bufferLogs: true,
  });
  const settings = app.get(Settings);
  const logger = new ParleyLogger(settings);
  app.useLogger(logger);
  configureHttp(app, settings, logger);
  app.useWebSocketAdapter(new ParleyIoAdapter(app));
  app.enableShutdownHooks();
  return app;
}

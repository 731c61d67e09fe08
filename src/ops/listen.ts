import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import type { Settings } from '../config/index.js';
import { listenOnFurther } from './further-listeners.js';
import { listenHosts, urlOf } from './listen-hosts.js';

/**
 * Lets the application listen on `PORT` of every address that `HOST` means. @returns an address
 * that answers
 */
export async function listen(app: INestApplication, settings: Pick<Settings, 'host' | 'port'>): Promise<string> {
  const hosts = await listenHosts(settings.host);
  const [first, ...further] = hosts;
  await (first === undefined ? app.listen(settings.port) : app.listen(settings.port, first));
  return urlOf(hosts, await listenOnFurther(app.getHttpServer() as Server, further));
}

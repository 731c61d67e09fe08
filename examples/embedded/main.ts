import 'reflect-metadata';
import { createShop } from './shop.app.js';

/**
 * `DATABASE_URL=… REDIS_URL=… JWT_SECRET=… node --import ./scripts/typescript.mjs
 * examples/embedded/main.ts`
 */
const env = process.env;
const app = await createShop({
  databaseUrl: env['DATABASE_URL'],
  redisUrl: env['REDIS_URL'],
  jwtSecret: env['JWT_SECRET'],
});
await app.listen(env['PORT'] ?? 3000);
console.log(`Acme's shop listens on ${await app.getUrl()}`);

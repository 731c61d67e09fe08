import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { readSettings } from './src/config/index.js';
import { dataSourceOptions } from './src/database/index.js';

const settings = readSettings(process.env);
if (settings.databaseUrl === undefined) throw new Error('DATABASE_URL: is required for migrations by hand');

/**
 * For the TypeORM CLI (`npm run migration:…`): the connection the server has, with every entity of
 * `src`.
 */
export default new DataSource(
  dataSourceOptions({ url: settings.databaseUrl, poolSize: 2, timeoutMs: 60_000 }, [
    join(import.meta.dirname, 'src/**/*.entity.ts'),
  ]),
);

import { Global, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Settings } from '../config/index.js';
import { DeploymentIdentity } from '../common/index.js';
import { ClockWatch } from './clock-watch.js';
import { CommitPosition } from './commit-position.js';
import { dataSourceOptions } from './data-source.options.js';
import { prepareDatabase } from './prepare-database.js';
import { PostgresDeploymentIdentity } from './postgres.deployment-identity.js';
import { SlowSql } from './slow-sql.js';
import { Sql } from './sql.js';
import { UserTurns } from './user-turns.js';
import { WatchSql } from './watch-sql.js';

const goodbyeTimeoutMs = 1_000;

/**
 * Says goodbye to Postgres and waits for its answer, but not for one that hangs: the process is
 * ending.
 */
class PatientDataSource extends DataSource {
  override async destroy(): Promise<void> {
    await Promise.race([super.destroy(), sleep(goodbyeTimeoutMs, undefined, { ref: false })]);
  }
}

/** A further pool, without entities. */
class FurtherDataSource extends PatientDataSource implements OnApplicationShutdown {
  onApplicationShutdown(): Promise<void> {
    return this.destroy();
  }
}

class SlowDataSource extends FurtherDataSource {}
class WatchDataSource extends FurtherDataSource {}

/**
 * Opens the DataSource and offers {@link Sql}, {@link SlowSql}, {@link WatchSql}, {@link
 * UserTurns}, {@link CommitPosition} and {@link DeploymentIdentity} everywhere.
 */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [Settings],
          useFactory: async (settings: Settings) => {
            await prepareDatabase({ url: requireUrl(settings), mustMigrate: settings.migrationsRun });
            return { ...optionsOf(settings, settings.databasePoolSize), autoLoadEntities: true, retryAttempts: 0 };
          },
          dataSourceFactory: (options) => new PatientDataSource(options as DataSourceOptions).initialize(),
        }),
      ],
      providers: [
        {
          provide: Sql,
          inject: [getDataSourceToken()],
          useFactory: (dataSource: DataSource) => new Sql(poolOf(dataSource)),
        },
        {
          // After the one above: that one has run the migrations.
          provide: SlowDataSource,
          inject: [Settings, getDataSourceToken()],
          useFactory: (settings: Settings) =>
            new SlowDataSource(optionsOf(settings, settings.databaseSlowPoolSize)).initialize(),
        },
        {
          provide: SlowSql,
          inject: [SlowDataSource],
          useFactory: (dataSource: DataSource) => new SlowSql(poolOf(dataSource)),
        },
        {
          provide: WatchDataSource,
          inject: [Settings, getDataSourceToken()],
          useFactory: (settings: Settings) => new WatchDataSource(watchOptionsOf(settings)).initialize(),
        },
        {
          provide: WatchSql,
          inject: [WatchDataSource],
          useFactory: (dataSource: DataSource) => new WatchSql(poolOf(dataSource)),
        },
        UserTurns,
        ClockWatch,
        CommitPosition,
        {
          provide: DeploymentIdentity,
          inject: [Sql],
          useFactory: (sql: Sql) => new PostgresDeploymentIdentity(sql),
        },
      ],
      exports: [Sql, SlowSql, WatchSql, CommitPosition, DeploymentIdentity, UserTurns],
    };
  }
}

function optionsOf(settings: Settings, poolSize: number): DataSourceOptions {
  return dataSourceOptions({ url: requireUrl(settings), poolSize, timeoutMs: settings.databaseTimeoutMs });
}

/** A reading that takes longer than half the bound is given up, so that the next one may keep it. */
function watchOptionsOf(settings: Settings): DataSourceOptions {
  const timeoutMs = Math.min(settings.databaseTimeoutMs, settings.revocationBoundMs / 2);
  return dataSourceOptions({ url: requireUrl(settings), poolSize: 1, timeoutMs: Math.ceil(timeoutMs) });
}

function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

function requireUrl(settings: Settings): string {
  if (settings.databaseUrl === undefined)
    throw new Error('DATABASE_URL: is missing; src/main.ts starts the embedded one');
  return settings.databaseUrl;
}

import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { HealthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { noStore } from './no-store.js';
import { OpenFilesWatch } from './open-files-watch.js';
import { onlyOnOpsPort, OpsPort, ownOpsPaths } from './ops-port.js';
import { StandardProbes } from './standard-probes.js';

/**
 * `/health`, `/metrics` and the second port, also of an embedding application; and `no-store` for
 * every answer under `/v1`. {@link HealthChecks} is exported, for dependencies of an extension.
 */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [HealthChecks, OpenFilesWatch, OpsPort, StandardProbes],
  exports: [HealthChecks],
})
export class OpsModule implements NestModule {
  constructor(private readonly settings: Settings) {}

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(noStore).forRoutes('v1/{*path}');
    consumer.apply(onlyOnOpsPort(this.settings)).forRoutes(...ownOpsPaths);
  }
}

import { Module } from '@nestjs/common';
import { HealthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { OpenFilesWatch } from './open-files-watch.js';
import { OpsPort } from './ops-port.js';
import { StandardProbes } from './standard-probes.js';

/**
 * `/health`, `/metrics` and the second port. {@link HealthChecks} is exported, for dependencies of
 * an extension.
 */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [HealthChecks, OpenFilesWatch, OpsPort, StandardProbes],
  exports: [HealthChecks],
})
export class OpsModule {}

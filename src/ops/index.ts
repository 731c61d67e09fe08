/**
 * Operations: logs, health, metrics, API documents and the HTTP set-up of the reference server.
 *
 * Guarantees: no body, token or statement text in a log line or an answer; a health answer within
 * about a second, from this process' own view; red from the moment a drain begins. For an embedding
 * application {@link OpsModule} provides health and metrics. Everything else is an optional
 * function.
 */
export { configureHttp, httpAppOptions } from './http-app.js';
export { HealthChecks, type HealthProbe, type Readiness } from './health-checks.js';
export { listen } from './listen.js';
export { listenHosts, urlOf } from './listen-hosts.js';
export { ParleyLogger } from './logger.js';
export { buildOpenApiDocument, setupDocs } from './openapi.js';
export { OpsModule } from './ops.module.js';
export { assertPortsFree } from './port-check.js';
export { guardStandardStreams, standardError, standardOutput } from './standard-output.js';

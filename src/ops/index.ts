/**
 * What runs the service: logs, health, metrics, API documents and the HTTP settings of the
 * reference server.
 *
 * Guarantees: no body, token or statement text in a log line or an answer; a health answer within
 * about a second, from this process' own view; red from the moment a drain begins. An embedding
 * application takes what it likes: health and metrics come with {@link OpsModule}, all else is a
 * function it may leave out.
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

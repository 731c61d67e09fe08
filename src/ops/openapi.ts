import { createRequire } from 'node:module';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, getSchemaPath, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { errorCodes, ProblemDetails } from '../common/index.js';
import type { Settings } from '../config/index.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

// Errors that every route with a token may answer with.
const sharedStatuses = {
  400: 'Invalid',
  401: 'Unauthenticated',
  429: 'RateLimited',
  500: 'Internal',
  503: 'Unavailable',
} as const;
/** Further errors of every route with a body. */
const bodyStatuses = { 413: 'TooLarge' } as const;

/** Statuses after which a client may try again later. */
const retryStatuses = new Set([429, 503]);
const retryAfter = {
  description: 'Whole seconds, rounded up; `retryAfterMs` of the body says it exactly',
  schema: { type: 'integer', minimum: 1 },
} as const;

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type ResponseObject = NonNullable<NonNullable<OpenAPIObject['components']>['responses']>[string];

/**
 * The OpenAPI document of every route of an application.
 *
 * Works on an application that was made but not started (Nest's `preview` too): it only reads
 * decorators.
 */
export function buildOpenApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Parley')
    .setDescription('Companion REST of the chat backend. What it changes reaches sockets by the same events.')
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    extraModels: [ProblemDetails],
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  return withClosedBodies(withSharedResponses(document));
}

/** Serves `/docs` and `/docs-json`, unless `DOCS_ENABLED` is off. Made at the first request. */
export function setupDocs(app: INestApplication, settings: Pick<Settings, 'docsEnabled'>): void {
  if (!settings.docsEnabled) return;
  SwaggerModule.setup('docs', app, () => buildOpenApiDocument(app), {
    raw: ['json'],
    customSiteTitle: 'Parley',
    swaggerOptions: { persistAuthorization: false },
  });
}

function withSharedResponses(document: OpenAPIObject): OpenAPIObject {
  const names = Object.entries({ ...sharedStatuses, ...bodyStatuses });
  document.components = {
    ...document.components,
    responses: Object.fromEntries(names.map(([status, name]) => [name, sharedResponse(Number(status))])),
  };
  for (const operation of operationsOf(document)) {
    if (operation.security?.length === 0) continue;
    const statuses = operation.requestBody ? { ...sharedStatuses, ...bodyStatuses } : sharedStatuses;
    for (const [status, name] of Object.entries(statuses)) {
      operation.responses[status] ??= { $ref: `#/components/responses/${name}` };
    }
  }
  return document;
}

/** Marks request bodies as the contract does: unknown properties are refused. */
function withClosedBodies(document: OpenAPIObject): OpenAPIObject {
  for (const { requestBody } of operationsOf(document)) {
    if (requestBody === undefined || '$ref' in requestBody) continue;
    for (const { schema } of Object.values(requestBody.content)) {
      const name = schema && '$ref' in schema ? schema.$ref.split('/').at(-1)! : '';
      const body = document.components?.schemas?.[name];
      if (body && !('$ref' in body)) body.additionalProperties = false;
    }
  }
  return document;
}

function operationsOf(document: OpenAPIObject): Operation[] {
  return Object.values(document.paths).flatMap((path) =>
    [path.get, path.put, path.post, path.patch, path.delete].filter((operation) => operation !== undefined),
  );
}

function sharedResponse(status: number): ResponseObject {
  const codes = errorCodes().filter(([, entry]) => entry.status === status);
  return {
    ...(retryStatuses.has(status) ? { headers: { 'Retry-After': retryAfter } } : {}),
    description: codes.map(([code, { title }]) => `\`${code}\`: ${title}`).join('; '),
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDetails) } } },
  };
}

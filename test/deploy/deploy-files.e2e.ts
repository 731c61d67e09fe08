/**
 * The files of `deploy/`, `compose.yaml` and `Dockerfile` against the code: what they name exists.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import { makeSettings, settingsTable } from '../../src/config/index.js';
import { metricsTable } from '../../src/metrics/index.js';

const root = join(import.meta.dirname, '..', '..');
const kubernetes = 'deploy/kubernetes';
const settingNames = new Set<string>(Object.values(settingsTable).map(({ env }) => env));
const defaults = makeSettings();

function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function documents(path: string): any[] {
  return parseAllDocuments(text(path)).map((document) => {
    expect(document.errors, path).toEqual([]);
    return document.toJS() as unknown;
  });
}

const [compose] = documents('compose.yaml');
const objects = readdirSync(join(root, kubernetes)).flatMap((name) => documents(`${kubernetes}/${name}`));

function object(kind: string): any {
  return objects.find((one) => one.kind === kind);
}

const pod = object('Deployment').spec.template.spec;
const [container] = pod.containers;

function portNamed(name: string): number {
  return container.ports.find((port: { name: string }) => port.name === name).containerPort;
}

describe('names settings that exist, with values they take', () => {
  const environments: Record<string, Record<string, string>> = {
    'compose.yaml': compose.services.parley.environment,
    'config.yaml': object('ConfigMap').data,
    'secret.example.yaml': object('Secret').stringData,
  };

  it.each(Object.entries(environments))('%s', (_, environment) => {
    expect(Object.keys(environment).filter((name) => !settingNames.has(name))).toEqual([]);
    for (const { env, check } of Object.values(settingsTable)) {
      const value = environment[env];
      // Compose fills `${…}` in.
      if (value !== undefined && !value.includes('${')) expect(check.safeParse(value).error, env).toBeUndefined();
    }
  });

  it('nothing in the balancer, the pages or the comments', () => {
    const files = [
      'deploy/haproxy.cfg',
      'compose.yaml',
      'Dockerfile',
      ...readdirSync(join(root, kubernetes)).map((name) => `${kubernetes}/${name}`),
    ];
    const own = new Set([
      'POSTGRES_PASSWORD',
      'POSTGRES_ADMIN_PASSWORD',
      'PARLEY_PASSWORD',
      'REDIS_PASSWORD',
      'REDISCLI_AUTH',
      'CMD_SHELL',
    ]);
    for (const file of files) {
      const named = text(file).match(/\b[A-Z]{2,}(?:_[A-Z]+)+\b/g) ?? [];
      expect(
        named.filter((name) => !settingNames.has(name) && !own.has(name)),
        file,
      ).toEqual([]);
    }
  });
});

describe('ports and probes', () => {
  it('are those of the server', () => {
    expect(portNamed('http')).toBe(defaults.port);
    expect(portNamed('ops')).toBe(Number(object('ConfigMap').data.OPS_PORT));
    expect(container.livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'ops' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'ops' });
    expect(text('Dockerfile')).toContain(`EXPOSE ${defaults.port}\n`);
    expect(text('Dockerfile')).toContain('/health/live');
    expect(text('deploy/haproxy.cfg').match(/parley:(\d+)/g)).toEqual([
      `parley:${defaults.port}`,
      `parley:${defaults.port}`,
    ]);
    expect(text('deploy/haproxy.cfg').match(/GET \S+/g)).toEqual(['GET /health/ready', 'GET /health/ready']);
  });

  it('leave a drain its time', () => {
    const drainSeconds = defaults.shutdownTimeoutMs / 1_000 + 1;
    const preStopSeconds = Number(/(\d+)\)/.exec(container.lifecycle.preStop.exec.command.at(-1))![1]) / 1_000;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStopSeconds + drainSeconds);
    expect(Number.parseInt(compose.services.parley.stop_grace_period)).toBeGreaterThan(drainSeconds);
  });

  it('leave an idle socket its pings', () => {
    const silenceSeconds = (defaults.pingIntervalMs + defaults.pingTimeoutMs) / 1_000;
    expect(text('deploy/haproxy.cfg')).toMatch('timeout tunnel 1m');
    expect(
      Number(object('Ingress').metadata.annotations['nginx.ingress.kubernetes.io/proxy-read-timeout']),
    ).toBeGreaterThan(silenceSeconds);
    for (const side of ['client', 'server']) {
      expect(Number(new RegExp(`timeout ${side} (\\d+)s`).exec(text('deploy/haproxy.cfg'))![1])).toBeGreaterThan(
        silenceSeconds,
      );
    }
  });
});

describe('leaves nothing open', () => {
  const { environment } = compose.services.parley;
  const config = object('ConfigMap').data;

  it('the role of the application is no superuser, and Redis has a password', () => {
    const role = text('deploy/postgres/create-parley.sql');
    expect(role).toMatch(/^CREATE ROLE parley LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE /m);
    expect(environment.DATABASE_URL).toMatch(/^postgres:\/\/parley:\$\{POSTGRES_PASSWORD[:}]/);
    expect(compose.services.postgres.environment.POSTGRES_USER).toBeUndefined();
    expect(compose.services.postgres.volumes.join()).toContain('create-parley.sql:/docker-entrypoint-initdb.d/');
    expect(compose.services.redis.command.at(-1)).toContain('--requirepass "$$REDIS_PASSWORD"');
    expect(environment.REDIS_URL).toMatch(/^redis:\/\/:\$\{REDIS_PASSWORD[:}]/);
    expect(object('Secret').stringData.REDIS_URL).toMatch(/^rediss:\/\/:[^@]+@/);
  });

  it('images have a full version', () => {
    const images = Object.values<any>(compose.services).flatMap(({ image }) => (image === undefined ? [] : [image]));
    const bases = [...text('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
    const { newTag } = object('Kustomization').images[0];
    expect(images.length).toBeGreaterThan(2);
    for (const image of [...images, ...bases, `parley:${newTag}`]) expect(image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]|$)/);
    expect(text('docs/operations.md')).toContain('digest');
  });

  it('probes and scrapers reach the second port, and proxies are counted', () => {
    for (const each of [environment, config]) {
      expect(each).toMatchObject({ OPS_PORT: '9090', OPS_HOST: '*', TRUST_PROXY: '1' });
    }
  });
});

it('runs without root, and selects its own pods', () => {
  expect(text('Dockerfile')).toMatch(/^USER 1000:1000$/m);
  expect(text('Dockerfile')).toMatch(/^CMD \["node", "dist\/main\.js"\]$/m);
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
  expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  const { labels } = object('Deployment').spec.template.metadata;
  expect(object('Deployment').spec.selector.matchLabels).toEqual(labels);
  expect(object('Service').spec.selector).toEqual(labels);
  expect(object('PodDisruptionBudget').spec.selector.matchLabels).toEqual(labels);
  expect(object('NetworkPolicy').spec.podSelector.matchLabels).toEqual(labels);
});

it('lists every manifest but the example of a secret', () => {
  const { resources } = object('Kustomization');
  const files = readdirSync(join(root, kubernetes)).filter((name) => !/^kustomization|example/.test(name));
  expect([...resources].sort()).toEqual(files.sort());
});

describe('dashboard, alerts and autoscaler', () => {
  const { counters, gauges, histograms } = metricsTable;
  const plain = [...Object.keys(counters), ...Object.keys(gauges)];
  const series = new Set([
    ...plain,
    ...Object.keys(histograms).flatMap((name) => ['_bucket', '_sum', '_count'].map((part) => name + part)),
  ]);

  it.each([
    'deploy/grafana/dashboard.json',
    'deploy/alerts.yaml',
    'deploy/prometheus-adapter.yaml',
    `${kubernetes}/autoscaler.yaml`,
  ])('%s asks for metrics there are', (path) => {
    const named = text(path).match(/\bparley_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !series.has(name))).toEqual([]);
  });

  it('shows every metric', () => {
    const dashboard = JSON.parse(text('deploy/grafana/dashboard.json')) as unknown;
    const shown = JSON.stringify(dashboard);
    expect([...plain, ...Object.keys(histograms)].filter((name) => !shown.includes(name))).toEqual([]);
  });

  it('are explained in docs/operations.md, alert by alert', () => {
    const [{ groups }] = documents('deploy/alerts.yaml');
    const alerts = groups.flatMap(({ rules }: { rules: { alert: string }[] }) => rules.map(({ alert }) => alert));
    const page = text('docs/operations.md').match(/`Parley[A-Z]\w+`/g) ?? [];
    expect(page.map((word) => word.slice(1, -1)).sort()).toEqual([...alerts].sort());
  });
});

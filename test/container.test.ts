/** Dockerfile, compose and Kubernetes say the same, and what the service takes. `npm run test:container` builds and runs the image. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../src/config.ts';
import { SETTINGS } from '../src/config/settings.ts';
import { ROUTES } from '../src/http/routes.ts';
import { isSent, parseIgnore } from './container/context.ts';
import { configOf, parseDockerfile, type Stage } from './container/dockerfile.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Compose {
  services: {
    telemetry: {
      restart: string;
      stop_grace_period: string;
      environment: Record<string, string>;
      secrets: string[];
      ports: string[];
      volumes: string[];
      read_only: boolean;
      cap_drop: string[];
      networks?: Record<string, { aliases?: string[] }>;
    };
  };
  secrets: Record<string, unknown>;
  networks?: Record<string, { external: boolean }>;
}

interface Probe {
  httpGet: { path: string; port: string };
  periodSeconds: number;
  failureThreshold: number;
}

interface Pod {
  terminationGracePeriodSeconds: number;
  securityContext: Record<string, unknown>;
  containers: {
    ports: { name: string; containerPort: number }[];
    env: { name: string; value: string }[];
    securityContext: Record<string, unknown>;
    startupProbe: Probe;
    livenessProbe: Probe;
    readinessProbe: Probe;
    volumeMounts: { name: string; mountPath: string }[];
  }[];
  volumes: { name: string; secret?: { defaultMode: number } }[];
}

const stages = parseDockerfile(read('Dockerfile'));
const image = configOf(stages.at(-1) as Stage);
const service = (parse(read('docker-compose.yml')) as Compose).services.telemetry;
const documents = parseAllDocuments(read('deploy/kubernetes.yaml')).map((document) => {
  assert.deepEqual(document.errors, []);
  return document.toJS() as { kind: string; spec: Record<string, unknown> };
});
const objectOf = (kind: string): { spec: Record<string, unknown> } =>
  documents.find((document) => document.kind === kind) ?? assert.fail(`no ${kind} in deploy/kubernetes.yaml`);
const deployment = objectOf('Deployment').spec as {
  replicas: number;
  strategy: { type: string };
  template: { metadata: { annotations: Record<string, string> }; spec: Pod };
};
const pod = deployment.template.spec;
const container = pod.containers[0] as Pod['containers'][0];
const defaults = loadConfig({}, null);
const names = new Set(
  (SETTINGS as readonly { name: string; secret?: true }[]).flatMap(({ name, secret }) =>
    secret ? [name, `${name}_FILE`] : [name],
  ),
);

test('what the Dockerfile copies is there, and is sent to the build', () => {
  const patterns = parseIgnore(read('.dockerignore'));
  const copies = stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'COPY'));
  const paths = copies
    .filter(({ flags }) => flags.from === undefined)
    .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
  assert.ok(paths.length > 5);
  for (const path of paths) {
    assert.ok(existsSync(join(ROOT, path)), `there is no ${path}`);
    assert.ok(isSent(path, patterns), `${path} is not sent`);
  }
  for (const path of ['.env', '.git/config', 'telemetry-token', 'node_modules/yaml/package.json', 'test/tidy.test.ts'])
    assert.ok(!isSent(path, patterns), `${path} is sent`);
});

test('a Dockerfile with a line that the walk does not know is refused, by its number', () => {
  const lines = [
    'FROM node:24-slim\nSHELL ["sh"]',
    'FROM node:24-slim\nUSER 1\nCMD node x',
    'FROM node:24-slim\n\nCOPY --chmod=755 a b',
  ];
  const faults = lines.map((text) => {
    try {
      return parseDockerfile(text).map(configOf);
    } catch (error) {
      return (error as Error).message;
    }
  });
  assert.deepEqual(faults, [
    'Dockerfile:2: not understood: SHELL ["sh"]',
    'Dockerfile:3: not understood: CMD node x',
    'Dockerfile:3: not understood: COPY a b',
  ]);
});

test('settings of image, compose and Kubernetes are settings of the service', () => {
  const given = [
    ...Object.keys(image.env),
    ...Object.keys(service.environment),
    ...container.env.map(({ name }) => name),
  ].filter((name) => name.startsWith('TELEMETRY_'));
  assert.ok(given.length >= 5);
  assert.deepEqual(
    given.filter((name) => !names.has(name)),
    [],
  );
});

test('everybody stops later than the service, which needs its time and a second', () => {
  const needed = defaults.shutdownTimeoutMs + 1_000;
  assert.match(service.stop_grace_period, /^\d+s$/);
  assert.ok(parseInt(service.stop_grace_period, 10) * 1_000 > needed);
  assert.ok(pod.terminationGracePeriodSeconds * 1_000 > needed);
});

test('the port is the default one everywhere, and published to this machine only', () => {
  const { port } = defaults.http;
  assert.deepEqual(image.ports, [port]);
  assert.deepEqual(service.ports, [`\${PUBLISH_ADDRESS:-127.0.0.1}:\${PUBLISH_PORT:-${port}}:${port}`]);
  assert.deepEqual(container.ports, [{ name: 'http', containerPort: port }]);
  assert.deepEqual((objectOf('Service').spec.ports as unknown[])[0], { name: 'http', port, targetPort: 'http' });
  assert.equal(deployment.template.metadata.annotations['prometheus.io/port'], String(port));
});

test('probes and scrapes ask for routes that there are, probes for open ones', () => {
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const { path, port } = container[probe].httpGet;
    const route = ROUTES.find((one) => one.method === 'GET' && one.path === path);
    assert.equal(route?.open, true, `${probe}: ${path}`);
    assert.equal(port, 'http');
  }
  const scraped = deployment.template.metadata.annotations['prometheus.io/path'];
  assert.ok(ROUTES.some(({ method, path }) => method === 'GET' && path === scraped));
});

test('the user is the same number everywhere, and not root', () => {
  assert.equal(image.user, '1000:1000');
  const { runAsUser, runAsGroup, fsGroup, runAsNonRoot } = pod.securityContext;
  assert.deepEqual([runAsNonRoot, `${String(runAsUser)}:${String(runAsGroup)}`, fsGroup], [true, image.user, 1000]);
  const made = stages.at(-1)?.instructions.some(({ text }) => text.includes('install -d -o 1000 -g 1000 /data'));
  assert.ok(made);
});

test('only the volume may be written to, and it is where the service writes', () => {
  assert.deepEqual(image.volumes, ['/data']);
  assert.equal(image.env.TELEMETRY_BASE_DIR, '/data');
  assert.equal(image.env.SQLITE_TMPDIR, '/data');
  assert.ok(service.read_only);
  assert.ok(service.volumes.includes('data:/data'));
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.deepEqual(container.volumeMounts[0], { name: 'data', mountPath: '/data' });
});

test('nobody gives the service a capability, or starts a second one', () => {
  assert.deepEqual(service.cap_drop, ['ALL']);
  assert.deepEqual(container.securityContext.capabilities, { drop: ['ALL'] });
  assert.deepEqual([deployment.replicas, deployment.strategy.type], [1, 'Recreate']);
});

test('the token comes from a file that the service may read', () => {
  const [secret = ''] = service.secrets;
  assert.equal(service.environment.TELEMETRY_API_AUTH_TOKEN_FILE, `/run/secrets/${secret}`);
  assert.ok(secret in (parse(read('docker-compose.yml')) as Compose).secrets);
  const file = container.env.find(({ name }) => name === 'TELEMETRY_API_AUTH_TOKEN_FILE')?.value ?? '';
  const mount = container.volumeMounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
  assert.equal(pod.volumes.find(({ name }) => name === mount?.name)?.secret?.defaultMode, 0o440);
});

test('a migration at the start has ten minutes, and a health check more than its own patience', () => {
  const { startPeriodMs = 0, timeoutMs = 0, command = [] } = image.healthcheck ?? {};
  const { periodSeconds, failureThreshold } = container.startupProbe;
  assert.deepEqual([startPeriodMs, periodSeconds * failureThreshold * 1_000], [600_000, 600_000]);
  assert.ok(Number(command.at(-1)) * 1_000 < timeoutMs);
});

test('the other network is one that is there already, and this service is known there', () => {
  const { services, networks } = parse(read('docker-compose.seo-intelligence.yml')) as Compose;
  const [name = ''] = Object.keys(networks ?? {});
  assert.deepEqual(networks, { 'seo-intelligence-network': { external: true } });
  assert.deepEqual(services.telemetry.networks?.[name]?.aliases, ['local-telemetry-api']);
  assert.ok(Object.keys(services.telemetry.networks ?? {}).includes('default'));
});

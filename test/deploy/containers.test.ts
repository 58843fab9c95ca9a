/** `docker run` of docs/container.md, Compose and the manifests say the same; and what people copy names the version that is there. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { NAMING, withMentions } from '../../scripts/release/mentions.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const page = read('docs/container.md');
const compose = parse(read('docker-compose.yml')) as {
  services: {
    telemetry: {
      mem_limit: string;
      memswap_limit: string;
      pids_limit: number;
      tmpfs: string[];
      security_opt: string[];
      logging: { driver: string; options: Record<string, string> };
    };
  };
  volumes: Record<string, { name: string }>;
};

test('docker run as it is documented has the bounds of Compose, and its volume', () => {
  const { telemetry } = compose.services;
  const command = /^docker run -d (?:.*\\\n)*.*$/m.exec(page)?.[0].replaceAll('\\\n', ' ') ?? '';
  const words = command.split(/\s+/);
  const valuesOf = (option: string): string[] =>
    words.flatMap((word, at) => (word === option ? [words[at + 1] ?? ''] : []));
  const { driver, options } = telemetry.logging;
  assert.deepEqual(valuesOf('--log-driver'), [driver]);
  assert.deepEqual(
    valuesOf('--log-opt'),
    Object.entries(options).map(([name, value]) => `${name}=${value}`),
  );
  assert.deepEqual(valuesOf('--memory'), [telemetry.mem_limit]);
  assert.deepEqual(valuesOf('--memory-swap'), [telemetry.memswap_limit]);
  assert.deepEqual(valuesOf('--pids-limit'), [String(telemetry.pids_limit)]);
  assert.deepEqual(valuesOf('--tmpfs'), telemetry.tmpfs);
  assert.deepEqual(valuesOf('--security-opt'), telemetry.security_opt);
  assert.deepEqual(valuesOf('-v'), [`${compose.volumes.data?.name}:/data`]);
});

test('Compose asks for no number of processors, which Docker refuses where there are fewer', () => {
  assert.doesNotMatch(read('docker-compose.yml'), /\bcpus\b/);
});

test('a restore in the cluster mounts the volume of the deployment, as its user', () => {
  const [, overrides = ''] = /--overrides '([^']+)'/.exec(page) ?? [];
  const { spec } = JSON.parse(overrides) as { spec: Record<string, unknown> };
  const manifest = read('deploy/kubernetes.yaml');
  const [, claim = ''] = /claimName: (\S+)/.exec(manifest) ?? [];
  assert.deepEqual(spec.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: claim } }]);
  for (const [name, id] of Object.entries(spec.securityContext as Record<string, number>))
    assert.match(manifest, new RegExp(`^ +${name}: ${id}$`, 'm'));
});

test('images and packages are named with the version of package.json, in files that a release changes', () => {
  const paths = [
    'README.md',
    ...globSync(['docs/*.md', 'deploy/**/*.{yaml,yml,md,xml,ps1}', 'docker-compose*.yml'], { cwd: ROOT }),
  ];
  const mentions = paths.flatMap((path) =>
    [...read(path).matchAll(/(?:local-telemetry[:-]v?|VERSION=|checkout v)(\d+\.\d+\.\d+)/g)].map(([, found]) => ({
      path,
      found,
    })),
  );
  for (const { path, found } of mentions) assert.equal(found, version, path);
  assert.deepEqual([...new Set(mentions.map(({ path }) => path))].sort(), [...NAMING].sort());
});

test('a release sets the version in them, and changes nothing else', () => {
  for (const name of NAMING) {
    const text = read(name);
    const changed = withMentions(name, text, version, '98.76.54');
    assert.ok(!changed.includes(`:${version}`) && !changed.includes(`-${version}`), name);
    assert.equal(changed.replaceAll('98.76.54', version), text, name);
  }
  assert.equal(
    withMentions('a', '1.2.3 11.2.3 1.2.34 1.2.3.4 x-1.2.3.tgz', '1.2.3', '2.0.0'),
    '2.0.0 11.2.3 1.2.34 1.2.3.4 x-2.0.0.tgz',
  );
  assert.throws(() => withMentions('a.yaml', 'image: x', '1.2.3', '2.0.0'), /a\.yaml does not name version 1\.2\.3/);
});

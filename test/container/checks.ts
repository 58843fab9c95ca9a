/** A container's life: started, looked at, used, stopped, started again. */
import { mkdirSync, readFileSync } from 'node:fs';
import { loadConfig } from '../../src/config.ts';
import { type Box, startBox } from './box.ts';
import type { ImageConfig } from './dockerfile.ts';
import type { Check } from './run.ts';
import { differences, treeOf } from './tree.ts';

interface Place {
  root: string;
  data: string;
  image: ImageConfig;
  check: Check;
}

const GRACE_MS = loadConfig({}, null).shutdownTimeoutMs + 1_000;
const RUN = {
  event_id: '3f0e0c52-6d4c-4f0e-9a37-0d5a0a0c7a11',
  run_id: 'in-a-container',
  agent_name: 'walk',
  job_type: 'test',
  start_time: '2026-01-01T00:00:00Z',
};

/** Words that ask the service from within, and print status and body. */
function request(method: string, path: string, body?: unknown): string[] {
  const options = {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  };
  const url = `http://127.0.0.1:8765${path}`;
  return [
    'node',
    '-e',
    `fetch(${JSON.stringify(url)}, ${JSON.stringify(options)}).then(async (a) => console.log(a.status, await a.text()))`,
  ];
}

export async function checkLife({ root, data, image, check }: Place): Promise<void> {
  const command = image.healthcheck?.command ?? [];
  const before = treeOf(root);
  const without = await startBox(root, data, { ...image, command: ['healthcheck'] }).ended;
  check(without.code === 1, 'healthcheck exits with 1 where no service answers');
  const started = performance.now();
  const box = startBox(root, data, image);
  await box.said('Listening on');
  check(
    true,
    `the service listens after ${Math.round(performance.now() - started)} ms, with everything but its volume read-only`,
  );
  checkProcesses(box, image, check);
  check((await box.exec(command)).code === 0, 'the HEALTHCHECK of the Dockerfile exits with 0');
  const posted = await box.exec(request('POST', '/api/v1/runs', RUN));
  check(posted.text.startsWith('201'), `a run is stored (${posted.text.slice(0, 3)})`);
  for (const words of [['optimize', '--reindex'], ['backup'], ['verify'], ['doctor']]) {
    const { code, text } = await box.exec(['local-telemetry', ...words]);
    check(
      code === 0,
      `docker exec … local-telemetry ${words.join(' ')} exits with 0${code === 0 ? '' : ` (${code}):\n${text}`}`,
    );
  }
  for (const path of ['/app/x', '/tmp/x', '/usr/local/bin/x', '/x'])
    check((await box.exec(['touch', path])).code !== 0, `nothing can be written to ${path}`);
  await checkStop(box, check);
  const again = startBox(root, data, image);
  await again.said('Listening on');
  const found = await again.exec(request('GET', `/api/v1/runs/${RUN.event_id}`));
  check(found.text.startsWith('200') && found.text.includes(RUN.run_id), 'after a restart the run is there');
  await checkStop(again, check);
  const changed = differences(before, treeOf(root));
  check(changed.length === 0, `nothing was written outside the volume ${changed.join(' ')}`);
}

/** Process 1 and the service below it: who they are, and what they may do. */
function checkProcesses(box: Box, image: ImageConfig, check: Check): void {
  const service = Number(readFileSync(`/proc/${box.pid}/task/${box.pid}/children`, 'utf8').trim());
  const [uid = '', gid = ''] = image.user.split(':');
  for (const [what, pid] of [
    ['process 1, tini,', box.pid],
    ['the service', service],
  ] as const) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const is = (name: string, value: string): boolean => new RegExp(`^${name}:\\s+${value}$`, 'm').test(status);
    const ids =
      is('Uid', Array(4).fill(uid).join('\\s+')) && is('Gid', Array(4).fill(gid).join('\\s+')) && is('Groups', '');
    const powerless = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd'].every((name) => is(name, '0+')) && is('NoNewPrivs', '1');
    check(ids && powerless, `${what} runs as ${image.user} without capabilities`);
  }
}

async function checkStop(box: Box, check: Check): Promise<void> {
  const asked = performance.now();
  const { code } = await box.stop();
  const took = Math.round(performance.now() - asked);
  check(code === 0 && took < GRACE_MS, `the stop signal ends it with ${code} after ${took} ms`);
}

/** A volume that is root's: the first thing that goes wrong. */
export async function checkRefusal({ root, data, image, check }: Place): Promise<void> {
  mkdirSync(data, { mode: 0o755 });
  const { code, text } = await startBox(root, data, image).ended;
  const told = /runs as user 1000:1000 and may not write to \/data: it belongs to 0:0.*chown 1000:1000 '\/data'/.test(
    text,
  );
  check(code === 1 && told, `a volume of root's is refused with ${code}: ${text.trim()}`);
}

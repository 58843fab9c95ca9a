/**
 * The units under a real systemd: process 1 of namespaces of its own, on a throw-away overlay of this machine's file system.
 * They are installed by the commands of docs/deployment.md.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, skip } from './checks.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPTS = new URL('boot/', import.meta.url);
const TIMEOUT_MS = 150_000;
const SPACES = ['--mount', '--pid', '--fork', '--uts', '--ipc', '--net', '--cgroup', '--kill-child'];
/** Joins the group, then becomes the namespaces' first process. */
const JOIN = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"';

export async function checkBooted(out: string): Promise<void> {
  const group = makeGroup();
  if (group === undefined) return skip('a booted systemd', 'there is no cgroup2 in which this may make a group');
  if (!existsSync('/lib/systemd/systemd')) return skip('a booted systemd', 'systemd is not installed');
  prepare(out);
  const root = fileURLToPath(new URL('root.sh', SCRIPTS));
  const words = ['-c', JOIN, 'sh', group, 'unshare', ...SPACES, 'sh', root, CHECKOUT, out];
  const { stderr } = spawnSync('sh', words, { encoding: 'utf8', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  removeGroup(group);
  if (!existsSync(join(out, 'install'))) return skip('a booted systemd', `it did not start here: ${stderr.trim()}`);
  await judge(out);
}

/** A control group of its own; undefined where there cannot be one. */
function makeGroup(): string | undefined {
  const mount = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (mount === undefined || own === undefined) return undefined;
  const group = join(mount, own, `telemetry-deploy-${process.pid}`);
  try {
    mkdirSync(group);
    return group;
  } catch {
    return undefined;
  }
}

/** With the groups that systemd made in it; their processes have ended with the namespaces. */
function removeGroup(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  rmdirSync(group);
}

function prepare(out: string): void {
  const page = readFileSync(join(CHECKOUT, 'docs/deployment.md'), 'utf8');
  const blockOf = (heading: string, at = 0): string => {
    const section = page.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
    const block = [...section.matchAll(/^```sh\n(.*?)^```$/gms)][at]?.[1];
    assert.ok(block, `docs/deployment.md has no commands below ${heading}`);
    return block;
  };
  // What it asks of the service comes once it is ready.
  writeFileSync(join(out, 'install.sh'), blockOf('systemd').replace(/^curl .*\n/m, ''));
  const [hand = ''] = /^telemetry\(\) \{\n.*?^\}\n/ms.exec(blockOf('systemd', 1)) ?? [];
  writeFileSync(join(out, 'function.sh'), hand.replace('sudo -u local-telemetry', 'runuser -u local-telemetry --'));
  writeFileSync(join(out, 'token.sh'), blockOf('A token'));
  writeFileSync(join(out, 'spool.sh'), blockOf('Agents of this machine').replace('<the user of an agent>', 'agent'));
  copyFileSync(new URL('inside.sh', SCRIPTS), join(out, 'inside.sh'));
}

async function judge(out: string): Promise<void> {
  const found = (step: string): string => {
    const path = join(out, step);
    return existsSync(path) ? readFileSync(path, 'utf8') : 'it was not come to';
  };
  const expect = (step: string, wanted: RegExp): void =>
    assert.match(found(step), wanted, `${step}: ${found(step)}\n${found('log')}`);
  await check('under a booted systemd: installed by the commands of docs/deployment.md, the service is ready', () => {
    expect('install', /exit 0$/m);
    expect('ready', /"ready"/);
    expect('process', /^CapBnd:\s+0+\nNoNewPrivs:\s+1\nSeccomp:\s+2$/m);
  });
  await check('the token is handed over: 401 without it, a run stored with it', () => {
    expect('token', /exit 0$/m);
    expect('without_token', /^401/);
    expect('post', /"created"/);
  });
  await check('what another user leaves in the shared spool is fetched', () => {
    expect('spool', /exit 0$/m);
    expect('spooled', /exit 0$/m);
    expect('fetched', /"event_id":"spooled"/);
  });
  await check('the backup works beside the service and without it, and the timer waits', () => {
    expect('backup', /exit 0$/m);
    expect('backups', /^telemetry-\d{8}T\d{6}Z\.sqlite$/m);
    expect('timer', /local-telemetry-backup\.timer/);
    expect('backup_without', /exit 0$/m);
  });
  await check('doctor by hand has the settings of the service', () => {
    expect('doctor', /in use by the service/);
    expect('doctor', /configuration +(?!.*Reachable)/);
    expect('doctor', /exit 0$/m);
  });
  await check('killed, it is started again with what it stored; stopped, it ends well', () => {
    expect('restarted', /^NRestarts=1$/m);
    expect('after_kill', /"event_id":"sent"/);
    expect('stop', /exit 0$/m);
    expect('stopped', /^Result=success$/m);
  });
  await check('a wrong setting is given up after five starts more', () => {
    expect('wrong', /^Result=exit-code$/m);
    expect('wrong', /^NRestarts=5$/m);
    expect('log', /TELEMETRY_API_PORT must be a whole number/);
  });
}

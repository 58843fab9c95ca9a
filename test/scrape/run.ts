/**
 * npm run test:scrape: a real Prometheus scrapes the service by our configuration while runs come in, a retention deletes
 * some and the service is restarted; then all rules and all panels of the dashboard are asked. About a minute and a half.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, failed, freePort, has, LAUNCHER, skip, startService, stop } from '../deploy/checks.ts';
import { checkAlerts, checkCounters, checkPanels, checkScraped } from './answers.ts';
import { startPrometheus } from './prometheus.ts';
import { leaveInSpool, medianAge, pastRuns, Traffic } from './traffic.ts';

const DEADLINE_MS = 240_000;
const WORK_MS = 20_000;
const TOKEN = 'a-token-to-scrape-with';
const RULES_FOLDER = fileURLToPath(new URL('../../deploy/prometheus', import.meta.url));

if (!has('prometheus') || !has('promtool')) {
  skip('prometheus', 'install prometheus, promtool included, to try it');
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'telemetry-scrape-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
setTimeout(() => {
  process.stdout.write(`FAIL  not done after ${DEADLINE_MS / 1_000} s\n`);
  process.exit(1);
}, DEADLINE_MS).unref();

function promtool(words: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: RULES_FOLDER, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`promtool ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout + stderr;
}

await check('promtool takes prometheus.yml', () => void promtool(['check', 'config', 'prometheus.yml']));
await check('promtool takes alerts.yml', () => void promtool(['check', 'rules', 'alerts.yml']));
await check('each alert fires on its case, and on no other', () => void promtool(['test', 'rules', 'alerts.test.yml']));
await scraped();
process.stdout.write(failed() === 0 ? 'All is well.\n' : `${failed()} failed.\n`);
process.exit(failed() === 0 ? 0 : 1);

async function scraped(): Promise<void> {
  const base = join(folder, 'service');
  const spool = join(base, 'buffer');
  const tokenFile = join(folder, 'token');
  mkdirSync(spool, { recursive: true });
  writeFileSync(tokenFile, `${TOKEN}\n`);
  const settings = {
    TELEMETRY_BASE_DIR: base,
    TELEMETRY_API_AUTH_ENABLED: 'true',
    TELEMETRY_API_AUTH_TOKEN_FILE: tokenFile,
  };
  const port = await freePort();
  let service = await startService(port, settings);
  const traffic = new Traffic(port, TOKEN);
  const { runs, from } = pastRuns();
  await traffic.send(runs);
  await check('promtool has nothing to say about the metrics', async () => {
    const said = promtool(['check', 'metrics'], await metrics(port));
    if (said.trim() !== '') throw new Error(said);
  });

  const prometheus = await startPrometheus(folder, port, tokenFile);
  await traffic.work(WORK_MS);
  leaveInSpool(spool);
  let deleted = 0;
  await check('a retention deletes runs while Prometheus scrapes', () => {
    const words = ['retention', '--days', String(medianAge(runs)), '--apply', '--json'];
    const environment = { PATH: process.env.PATH, ...settings };
    const told = execFileSync(LAUNCHER, words, { env: environment, encoding: 'utf8', timeout: 60_000 });
    ({ deleted } = JSON.parse(told) as { deleted: number });
    if (deleted === 0) throw new Error(told);
    return `${deleted} of ${runs.length} ${from} ones`;
  });
  await traffic.work(WORK_MS / 2);
  await checkScraped(prometheus);
  await stop(service);
  service = await startService(port, settings);
  await traffic.work(WORK_MS);
  await checkScraped(prometheus);
  await checkCounters(prometheus, deleted);
  await checkAlerts(prometheus);
  await checkPanels(prometheus);
  await prometheus.stop();
  await stop(service);
}

async function metrics(port: number): Promise<string> {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`http://127.0.0.1:${port}/metrics/prometheus`, { headers });
  return response.text();
}

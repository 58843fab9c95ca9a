/** What must hold between the stages: everything can be read, what was laid into the spool arrives. */
import { setTimeout as pause } from 'node:timers/promises';
import { parseExposition } from '../support/exposition.ts';
import { type Answer, faultOf, nextOf } from './answers.ts';
import { exchangeOf, type Input, RUNS } from './input.ts';
import { SECRET } from './inputs/values.ts';
import { inputOfId } from './make.ts';
import { TABLE } from '../../src/run.ts';
import { Player, type Stage } from './play.ts';

const OVERVIEWS = [
  '/metrics',
  '/metrics/prometheus',
  '/metrics?format=openmetrics',
  '/api/v1/metadata',
  '/health',
  '/readyz',
];
const LISTS = [`${RUNS}?limit=1000`, `${RUNS}?limit=1000&status=success&status=running`];
/** What makes a run that others are merged into readable again. */
const NULLABLE = TABLE.filter(({ required, default: fallback }) => !required && fallback === undefined).map(
  ({ name }) => name,
);
const CLEARED = `UPDATE agent_runs SET (${NULLABLE.join()}) = (${NULLABLE.map(() => 'NULL').join()}) WHERE id = ?`;
const SPOOL_MS = 10_000;

const reading = (path: string): Input => ({
  number: -1,
  kind: 'reads',
  what: path,
  exchange: exchangeOf({ method: 'GET', path }),
});

/** @returns why a good answer of GET is not good; undefined where it is */
function wrongIn(path: string, answer: Answer | undefined): string | undefined {
  if (answer?.status !== 200) return `${path} was answered ${answer?.status} ${answer?.body.toString('utf8', 0, 200)}`;
  const fault = faultOf(answer);
  if (fault !== undefined) return `${path}: ${fault}`;
  if (path.startsWith(RUNS) && answer.body.includes(SECRET)) return `${path} shows credentials of an address`;
  if (!answer.headers.get('content-type')?.startsWith('text/') || path === '/metrics') return undefined;
  try {
    parseExposition(answer.body.toString(), path.includes('openmetrics') ? 'openmetrics' : 'prometheus');
    return undefined;
  } catch (error) {
    return `${path} is no exposition: ${String(error).slice(0, 300)}`;
  }
}

/** Rows since `mark`, each read alone; those that cannot be are removed, so that the rest can go on. @returns the new mark */
export async function checkRows({ world, findings }: Stage, mark: bigint): Promise<bigint> {
  const select = world.db.prepare(
    "SELECT id, event_id FROM agent_runs WHERE (id > ? OR event_id GLOB 'base-*') AND typeof(event_id) = 'text' ORDER BY id",
  );
  const fresh = select.safeIntegers().all(mark) as { id: bigint; event_id: string }[];
  const player = new Player(world);
  for (const { id, event_id } of fresh) {
    if (!world.alive) break;
    if (event_id.includes('\0') || event_id.includes('\ufffd') || event_id.length > 2_000 || /^\.{1,2}$/.test(event_id))
      continue;
    const path = `${RUNS}/${encodeURIComponent(event_id)}`;
    const [answer] = await player.play(reading(path));
    const wrong = wrongIn(path, answer);
    if (wrong === undefined) continue;
    findings.add(inputOfId(event_id), event_id, `a run that is stored cannot be read: ${wrong}`);
    world.touched = true;
    world.acknowledged.delete(event_id);
    world.expected.delete(event_id);
    if (event_id.startsWith('base-')) world.db.prepare(CLEARED).run(id);
    else world.db.prepare('DELETE FROM agent_runs WHERE id = ?').run(id);
  }
  player.close();
  // An id at the end of all numbers says nothing of what comes next.
  return fresh.map(({ id }) => id).findLast((id) => id < 2n ** 53n) ?? mark;
}

/** Overviews and the newest pages of lists. */
export async function checkOverviews({ world, findings, figures }: Stage): Promise<void> {
  const player = new Player(world);
  for (const path of [...OVERVIEWS, ...LISTS]) {
    const input = reading(path);
    const answers = await player.play(input);
    figures.note(input, answers);
    const wrong = wrongIn(path, answers[0]);
    if (wrong !== undefined) findings.add(undefined, path, wrong);
  }
  player.close();
}

/** Every page of the list, by its links. @returns how many runs it showed */
export async function walkAll({ world, findings }: Stage): Promise<number> {
  const player = new Player(world);
  let shown = 0;
  let path: string | undefined = `${RUNS}?limit=1000`;
  while (path !== undefined && world.alive) {
    const [answer] = await player.play(reading(path));
    const wrong = wrongIn(path, answer);
    if (wrong !== undefined) findings.add(undefined, path, wrong);
    path = wrong === undefined && answer ? nextOf(answer) : undefined;
    if (wrong === undefined && answer) shown += (JSON.parse(answer.body.toString()) as unknown[]).length;
  }
  player.close();
  return shown;
}

/** What was laid into the spool is stored, or will be within some seconds. */
export async function checkSpool({ world, findings }: Stage): Promise<void> {
  const missing = (): [string, string][] => [...world.expected].filter(([eventId]) => !world.isStored(eventId));
  const until = Date.now() + SPOOL_MS;
  while (missing().length > 0 && Date.now() < until && world.alive) await pause(50);
  const lost = new Map<string, string[]>();
  for (const [eventId, by] of missing()) lost.set(by, [...(lost.get(by) ?? []), eventId]);
  for (const [by, eventIds] of lost)
    findings.add(
      inputOfId(by),
      `spool of ${by}`,
      `${eventIds.length} lines of the spool are not stored, such as ${eventIds[0]}`,
    );
  // What is lost was said; the file that is rewritten goes on.
  world.expected.clear();
  world.night = [];
}

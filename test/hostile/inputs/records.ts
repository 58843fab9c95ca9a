/** Records as JSON text, so that they may hold what no JavaScript value is: NaN, half a pair, a name twice. */
import type { Random } from '../../crash/random.ts';

/** A name and its value, both as JSON text. */
export type Member = [name: string, value: string];

export const quote = (text: string): string => JSON.stringify(text);

const AGENTS = ['translator', 'renovate', 'reviewer', 'publisher', 'Ünïcödé', '定期', 'a"b\\c', '🦀'];
const STATUSES = ['running', 'success', 'failure', 'partial', 'timeout', 'cancelled', 'failed', 'completed'];

/** A good record of this id. */
export function aRecord(random: Random, eventId: string): Member[] {
  const minute = String(random.between(0, 59)).padStart(2, '0');
  const start = `2026-01-${String(random.between(1, 28)).padStart(2, '0')}T12:${minute}:00Z`;
  const members: [string, unknown][] = [
    ['event_id', eventId],
    ['run_id', `run-of-${eventId}`],
    ['agent_name', random.pick(AGENTS)],
    ['job_type', random.pick(['translate', 'review', 'publish'])],
    ['start_time', start],
    ['created_at', start],
  ];
  if (random.chance(0.5)) members.push(['status', random.pick(STATUSES)]);
  if (random.chance(0.5)) members.push(['end_time', start], ['items_succeeded', random.between(0, 1_000)]);
  if (random.chance(0.3)) members.push(['git_repo', 'git@github.com:acme/site.git'], ['git_commit_hash', 'abcdef12']);
  if (random.chance(0.3)) members.push(['metrics_json', { step: random.between(0, 99), of: [1, 2.5, null] }]);
  if (random.chance(0.2)) members.push(['output_summary', 'x'.repeat(random.between(0, 400))]);
  return members.map(([name, value]) => [quote(name), JSON.stringify(value)]);
}

/** @param spaced as Python's json.dumps writes */
export const objectOf = (members: readonly Member[], spaced = false): string =>
  `{${members.map(([name, value]) => `${name}${spaced ? ': ' : ':'}${value}`).join(spaced ? ', ' : ',')}}`;

/** With this value in the place of the record's own. */
export const withMember = (record: readonly Member[], name: string, value: string): Member[] => [
  ...record.filter(([own]) => own !== quote(name)),
  [quote(name), value],
];

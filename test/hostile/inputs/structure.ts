/** JSON of odd shapes: every field with every odd value, at every door that takes records. */
import type { Random } from '../../crash/random.ts';
import { COLUMNS } from '../../../src/run.ts';
import type { Answer } from '../answers.ts';
import { baseId, exchangeOf, type Input, oneOf, RUNS } from '../input.ts';
import { aRecord, type Member, objectOf, quote, withMember } from './records.ts';
import { idOf, oddValue } from './values.ts';

type Made = Omit<Input, 'number' | 'kind'>;

const JSON_TYPE = ['Content-Type: application/json'];
const IDS = ['event_id', 'run_id', 'agent_name', 'job_type'] as const;
const MAX_ID_BYTES = 512;

/** A record of which one thing, or some, are odd; `what` says which. */
function anOddRecord(random: Random, eventId: string): { members: Member[]; what: string } {
  let members = aRecord(random, eventId);
  const names: string[] = [];
  for (let times = random.chance(0.8) ? 1 : random.between(2, 6); times > 0; times--) {
    const name = random.chance(0.08) ? 'git_repo' : random.pick(COLUMNS);
    const value = oddValue(random, name);
    members = withMember(members, name, value);
    names.push(`${name}=${value.slice(0, 30)}`);
  }
  if (random.chance(0.05)) members.push(random.pick(members));
  if (random.chance(0.05))
    members.push([random.pick(['"__proto__"', '"\\ud83d"', '"toString"', '""', '"\\u202e"']), '{"a":1}']);
  if (random.chance(0.05)) members = members.filter(() => random.chance(0.8));
  return { members, what: names.join(' ') };
}

function single(random: Random, id: string): Made {
  const { members, what } = anOddRecord(random, id);
  const body = objectOf(members, random.chance(0.5));
  return {
    what: `POST ${what}`,
    exchange: exchangeOf({ method: 'POST', path: RUNS, headers: JSON_TYPE, body }),
    judge: oneOf(200, 201, 413, 422),
    creates: createdBySingle,
  };
}

/** What the answer itself names. */
function createdBySingle([answer]: readonly Answer[]): string[] {
  if (answer?.status !== 201) return [];
  const { event_id } = JSON.parse(answer.body.toString()) as { event_id: string };
  return [event_id];
}

/** One odd item among good ones, which it may not cost. */
function batch(random: Random, id: string): Made {
  const good = Array.from({ length: random.between(1, 12) }, (_, index) => `${id}-${index}`);
  const { members, what } = anOddRecord(random, random.chance(0.3) ? baseId(random) : `${id}-odd`);
  const items = good.map((eventId) => objectOf(aRecord(random, eventId)));
  const odd = random.chance(0.1) ? oddValue(random, 'metrics_json') : objectOf(members);
  items.splice(random.between(0, items.length), 0, odd);
  const wrapped = random.chance(0.1);
  const query = random.pick(['', '?on_duplicate=merge', '?on_duplicate=ignore']);
  const body = wrapped ? `{"runs":[${items.join()}]}` : `[${items.join()}]`;
  return {
    what: `batch${query}${wrapped ? ' in an object' : ''} of ${good.length} good and ${odd === '' ? 'an odd' : what}`,
    exchange: exchangeOf({ method: 'POST', path: `${RUNS}/batch${query}`, headers: JSON_TYPE, body }),
    judge: (answers) => oneOf(...(wrapped ? [200, 201] : [200]))(answers) ?? countsOf(answers, good.length),
    creates: ([answer]) => (answer?.status === 200 || answer?.status === 201 ? good : []),
  };
}

function countsOf([answer]: readonly Answer[], good: number): string | undefined {
  const text = answer?.body.toString() ?? '';
  const { inserted, duplicates } = JSON.parse(text) as Record<string, number>;
  const stored = Number(inserted) + Number(duplicates);
  return stored >= good ? undefined : `of ${good} good items ${stored} were stored: ${text.slice(0, 200)}`;
}

function patch(random: Random): Made {
  const name = random.pick(COLUMNS);
  const members: Member[] = [[quote(name), oddValue(random, name)]];
  if (random.chance(0.5)) members.push(['"status"', '"success"']);
  return {
    what: `PATCH ${objectOf(members).slice(0, 60)}`,
    exchange: exchangeOf({ method: 'PATCH', path: `${RUNS}/${baseId(random)}`, body: objectOf(members) }),
    judge: oneOf(200, 400, 413, 422),
  };
}

function associate(random: Random): Made {
  const members: Member[] = [
    ['"commit_hash"', random.chance(0.5) ? '"abcdef1234"' : oddValue(random, 'git_commit_hash')],
    ['"commit_source"', random.chance(0.5) ? '"llm"' : oddValue(random, 'git_commit_source')],
    ['"commit_author"', oddValue(random, 'git_commit_author')],
    ['"commit_timestamp"', oddValue(random, 'git_commit_timestamp')],
  ];
  const path = `${RUNS}/${baseId(random)}/associate-commit`;
  return {
    what: `associate ${objectOf(members).slice(0, 60)}`,
    exchange: exchangeOf({ method: 'POST', path, body: objectOf(members) }),
    judge: oneOf(200, 413, 422),
  };
}

/** Ids of a byte less than the bound, of it, and of more. */
function longId(random: Random, id: string): Made {
  const name = random.pick(IDS);
  const bytes = MAX_ID_BYTES + random.pick([-1, 0, 1, 2, 20_000]);
  const long = idOf(`${id}-`, bytes, random.pick(['i', 'é', '🦀', '/', '%']));
  const body = objectOf(withMember(aRecord(random, id), name, quote(long)));
  return {
    what: `POST ${name} of ${bytes} bytes`,
    exchange: exchangeOf({ method: 'POST', path: RUNS, body }),
    judge: oneOf(...(bytes > MAX_ID_BYTES ? [422] : [200, 201])),
    creates: createdBySingle,
  };
}

/** No record at all, where one is expected. */
function shapeless(random: Random): Made {
  const body = random.pick([
    '',
    ' ',
    oddValue(random, 'metrics_json'),
    oddValue(random, 'event_id'),
    '[',
    '{"runs":{}}',
    '[[[]]]',
  ]);
  const path = random.pick([RUNS, `${RUNS}/batch`, `${RUNS}/batch?on_duplicate=merge`, `${RUNS}/batch?on_duplicate=x`]);
  return {
    what: `POST ${path} ${body.slice(0, 30)}`,
    exchange: exchangeOf({ method: 'POST', path, body }),
    judge: oneOf(200, 201, 400, 413, 422),
  };
}

/** The source of a commit is locked: three words, and nothing else. */
function source(random: Random, id: string): Made {
  const word = random.pick(['manual', 'llm', 'ci', 'LLM', 'human', 'ci ', 'x'.repeat(600)]);
  const good = ['manual', 'llm', 'ci'].includes(word);
  const body = objectOf(withMember(aRecord(random, id), 'git_commit_source', quote(word)));
  return {
    what: `POST git_commit_source=${word.slice(0, 10)}`,
    exchange: exchangeOf({ method: 'POST', path: RUNS, body }),
    judge: oneOf(...(good ? [200, 201] : [422])),
    creates: createdBySingle,
  };
}

export function structure(random: Random, id: string): Made {
  const die = random.next();
  if (die < 0.45) return single(random, id);
  if (die < 0.65) return batch(random, id);
  if (die < 0.8) return patch(random);
  if (die < 0.87) return associate(random);
  if (die < 0.93) return longId(random, id);
  return die < 0.97 ? shapeless(random) : source(random, id);
}

/** A list of the API from its first page to its last. */
import { TelemetryError } from '../../errors.ts';
import { strange, valueOf } from '../answer.ts';
import { patiently } from '../import/patience.ts';
import type { Target } from '../answer.ts';
import { itemsOf } from './items.ts';

/** Runs that one request asks for at most. */
export const PAGE = 1_000;

const [OPENING, CLOSING, BRACE] = [0x5b, 0x5d, 0x7b];
/** Every run of ours has it near its beginning, so that a page costs no parsing to be known for one. */
const EVENT_ID = Buffer.from('"event_id":"');

/**
 * The runs of a list, a page at a time, each as the JSON that the service gives. Pages follow each other by the cursor, so what
 * arrives or goes meanwhile shifts nothing.
 *
 * @param limit of all runs together
 * @throws TelemetryError in the service's words; "internal" for what is no list of runs
 */
export async function* pagesOf(
  target: Target,
  filter: URLSearchParams,
  limit = Infinity,
): AsyncGenerator<Uint8Array[]> {
  const query = new URLSearchParams(filter);
  query.set('limit', String(Math.min(PAGE, limit)));
  let left = limit;
  let path: string | undefined = `/api/v1/runs?${query.toString()}`;
  while (path !== undefined && left > 0) {
    const asked: string = path;
    const answer = await patiently(target, () => target.request('GET', asked));
    if (answer.status !== 200) valueOf(answer, target.where);
    if (answer.body[0] !== OPENING || answer.body.at(-1) !== CLOSING) throw strange(target.where);
    const items = [...itemsOf(answer.body)].slice(0, left);
    if (!items.every(isRun)) throw strange(target.where);
    left -= items.length;
    yield items;
    path = left > 0 ? answer.next : undefined;
    if (path === asked)
      throw new TelemetryError(
        'internal',
        `${target.where} gave the same page of its list twice. Ask the service itself, without a cache in between.`,
      );
  }
}

const isRun = (item: Uint8Array): boolean =>
  item[0] === BRACE && Buffer.from(item.buffer, item.byteOffset, item.length).includes(EVENT_ID);

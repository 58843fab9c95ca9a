/** The input of a number: the same whenever it is made with the same seed. */
import { bytes } from './inputs/bytes.ts';
import { reads } from './inputs/reads.ts';
import { rows } from './inputs/rows.ts';
import { sockets } from './inputs/sockets.ts';
import { spool } from './inputs/spool.ts';
import { structure } from './inputs/structure.ts';
import type { Random } from '../crash/random.ts';
import { type Input, type Kind, kindOf, randomOf } from './input.ts';

type Maker = (random: Random, id: string) => Omit<Input, 'number' | 'kind'>;

const MAKERS: Readonly<Record<Kind, Maker>> = { bytes, structure, reads, sockets, spool, rows };

/** Whatever an input creates has an id that begins so: it leads back to the input. */
export const idOfInput = (number: number): string => `h${number}`;
export const inputOfId = (eventId: string): number | undefined => {
  const found = /^(?:foreign-)?h(\d+)\b/.exec(eventId);
  return found ? Number(found[1]) : undefined;
};

export function makeInput(seed: number, number: number, kinds: readonly Kind[]): Input {
  const random = randomOf(seed, number);
  const kind = kindOf(random, kinds);
  return { ...MAKERS[kind](random, idOfInput(number)), number, kind };
}

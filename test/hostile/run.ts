/**
 * Everything hostile that can come in, mixed by chance: bytes, JSON, addresses, sockets, spool files and rows of others.
 *
 * node test/hostile/run.ts [--requests 200000] [--seed S] [--only N,N] [--kinds bytes,rows]
 */
import { parseArgs } from 'node:util';
import { seedFrom } from '../crash/random.ts';
import { hostile } from './hostile.ts';
import { type Kind, KINDS } from './input.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    kinds: { type: 'string', default: KINDS.join() },
  },
});

const kinds = values.kinds.split(',').filter((kind): kind is Kind => (KINDS as readonly string[]).includes(kind));
const findings = await hostile({
  requests: Number(values.requests),
  seed: seedFrom(values.seed),
  only: values.only?.split(',').map(Number),
  kinds,
  say: (line) => process.stdout.write(`${line}\n`),
});
process.exitCode = findings.length > 0 ? 1 : 0;

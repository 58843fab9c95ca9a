/** The short form of `npm run test:hostile`: a seed by chance, said where something is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostile } from './hostile/hostile.ts';
import { KINDS } from './hostile/input.ts';

const REQUESTS = 400;

test('nothing hostile breaks the service, delays others, or takes what was acknowledged', async () => {
  const said: string[] = [];
  const seed = Date.now() % 1_000_000;
  const findings = await hostile({ requests: REQUESTS, seed, kinds: KINDS, say: (line) => said.push(line) });
  assert.deepEqual(
    findings.slice(0, 3),
    [],
    `npm run test:hostile -- --requests ${REQUESTS} --seed ${seed}\n${said.join('\n')}`,
  );
});

/** Writes docs/commands.md: the help of every command, as the program prints it. */
import { writeFileSync } from 'node:fs';
import { referenceOf } from '../src/cli/reference.ts';

writeFileSync(new URL('../docs/commands.md', import.meta.url), await referenceOf());

/** A check that looks at several things: its state is that of the worst. */
import type { Check } from '../../offline/check.ts';

export interface Part {
  state: Check['state'];
  line: string;
  remedy?: string;
}

const ORDER = { ok: 0, warning: 1, bad: 2 } as const;

/** @param fine the summary where all is well; without it, the parts' own lines */
export function checkOf(name: string, parts: readonly Part[], fine?: string): Check {
  const [worst, ...rest] = parts.toSorted((a, b) => ORDER[b.state] - ORDER[a.state]);
  if (!worst || (worst.state === 'ok' && fine !== undefined)) {
    return { name, state: 'ok', summary: fine ?? 'none', details: [] };
  }
  const details = rest.map(({ line }) => line);
  const remedies = [...new Set([worst, ...rest].map(({ remedy }) => remedy).filter((remedy) => remedy !== undefined))];
  const { state, line: summary } = worst;
  return { name, state, summary, details, ...(remedies.length > 0 && { remedy: remedies.join('\n') }) };
}

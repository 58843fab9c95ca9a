/** What a look at one thing found. */
export interface Check {
  name: string;
  /** `warning`: works, but will not for ever, or not for everyone. */
  state: 'ok' | 'warning' | 'bad';
  /** What was seen, in a line. */
  summary: string;
  details: string[];
  /** What to do about it, one thing a line; only where it is not ok. */
  remedy?: string;
}

export const ok = (name: string, summary: string, details: string[] = []): Check => ({
  name,
  state: 'ok',
  summary,
  details,
});

export const warning = (name: string, summary: string, remedy: string, details: string[] = []): Check => ({
  name,
  state: 'warning',
  summary,
  details,
  remedy,
});

export const bad = (name: string, summary: string, remedy: string, details: string[] = []): Check => ({
  name,
  state: 'bad',
  summary,
  details,
  remedy,
});

/** Entries of a list that are shown. */
export const SHOWN = 20;

/** The first of many, and how many more there are. */
export function firstOf(all: readonly string[], total = all.length): string[] {
  const shown = all.slice(0, SHOWN);
  return total > shown.length ? [...shown, `and ${total - shown.length} more`] : shown;
}

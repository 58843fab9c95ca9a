/** Exit codes: the same for every command, and documented in each one's help. */
export const EXIT = {
  done: 0,
  /** It could not be done; the reason and the remedy are on stderr. */
  failed: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** It was looked for, and something is not as it should be. */
  found: 3,
} as const;

export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.done]: 'done',
  [EXIT.failed]: 'it could not be done; stderr says why',
  [EXIT.usage]: 'the command line is wrong',
};

/** The command line cannot be understood; the message says what is meant instead. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

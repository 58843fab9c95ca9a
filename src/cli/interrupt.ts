/** Nothing of a command stays behind where a signal ends it. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Cleans up when a signal comes, and lets it end the process then. Only for work that comes back to the event loop: what
 * computes for long would keep the signal waiting.
 *
 * @returns what gives the signals back
 */
export function onInterrupt(clean: () => void): Disposable {
  const end = (signal: NodeJS.Signals): void => {
    release();
    try {
      clean();
    } finally {
      // As if it had not been caught, so that whoever waits sees the signal.
      process.kill(process.pid, signal);
    }
  };
  const release = (): void => {
    for (const signal of ENDING) process.off(signal, end);
  };
  for (const signal of ENDING) process.on(signal, end);
  return { [Symbol.dispose]: release };
}

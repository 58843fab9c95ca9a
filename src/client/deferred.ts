/** A promise that is settled from outside; Promise.withResolvers does the same, and Node 20 does not have it. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  // The promise calls this before it is there itself.
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, resolve: (value) => settle?.(value) };
}

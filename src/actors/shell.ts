/** Commands that a message gives, for whoever reads it to run. */

/** A path as one word of a shell. */
export const quoted = (path: string): string => `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** Figures for people. */

/** 12345 as 12,345. */
export const numberOf = (value: number): string => value.toLocaleString('en-US');

/** 1 and "run" as 1 run, 12345 as 12,345 runs. */
export const count = (number: number, noun: string): string => `${numberOf(number)} ${noun}${number === 1 ? '' : 's'}`;

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1536 as 1.5 KiB. */
export function bytesOf(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

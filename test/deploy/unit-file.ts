/** Reads systemd's unit files and drop-ins, as far as ours go: no continued lines, no quotes. */
import { readFileSync } from 'node:fs';

/** By section and key, the values in their order. */
export type Unit = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export const SYSTEMD = new URL('../../deploy/systemd/', import.meta.url);

/** @param name of a file in deploy/systemd @throws Error at a line that is neither section, setting nor comment */
export function readUnit(name: string): Unit {
  const unit: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> | undefined;
  for (const line of readFileSync(new URL(name, SYSTEMD), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    if (heading !== undefined) {
      section = unit[heading] = {};
      continue;
    }
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (!section || key === undefined || value === undefined || value.endsWith('\\'))
      throw new Error(`${name}: not understood: ${line}`);
    (section[key] ??= []).push(value);
  }
  return unit;
}

/** The one value of a key. @throws Error where there is none or several */
export function only(unit: Unit, section: string, key: string): string {
  const values = unit[section]?.[key] ?? [];
  if (values.length !== 1) throw new Error(`[${section}] ${key}= stands ${values.length} times, not once`);
  return String(values[0]);
}

/** What Environment= sets, with systemd's folders put in. @param state for %S, whose /local-telemetry is the base folder */
export function environmentOf(unit: Unit, state: string): Record<string, string> {
  const pairs = (unit.Service?.Environment ?? []).map((assignment) => {
    const at = assignment.indexOf('=');
    return [assignment.slice(0, at), assignment.slice(at + 1).replace('%S', state)] as const;
  });
  return Object.fromEntries(pairs);
}

/** A time span of ours in milliseconds: a number of seconds, or with s, min, h or d behind it. */
export function milliseconds(span: string): number {
  const [, number, unit = 's'] = /^(\d+)(s|min|m|h|d)?$/.exec(span) ?? [];
  const factor = { s: 1_000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
  if (number === undefined || factor === undefined) throw new Error(`Not a time span: ${span}`);
  return Number(number) * factor;
}

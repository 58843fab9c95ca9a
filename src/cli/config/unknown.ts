/** Variables that look like settings and are none. */
import { CLIENT_SETTINGS } from '../../client/config.ts';
import { type Setting, SETTINGS, WITHOUT_EFFECT } from '../../config/settings.ts';
import type { Environment } from '../terminal.ts';
import { meant } from '../usage.ts';

/** What `run` tells its command. */
export const OTHERS = ['TELEMETRY_RUN_ID'];

const NAMES = [...(SETTINGS as readonly Setting[]), ...(CLIENT_SETTINGS as readonly Omit<Setting, 'kind'>[])].flatMap(
  ({ name, alias, secret }) => [name, ...(alias ? [alias] : []), ...(secret ? [`${name}_FILE`] : [])],
);
const KNOWN: ReadonlySet<string> = new Set([...NAMES, ...WITHOUT_EFFECT, ...OTHERS]);

/** A line for each TELEMETRY_ variable that is set and nobody reads. */
export function unknownSettings(environments: readonly Environment[]): string[] {
  const set = environments.flatMap((each) => Object.keys(each).filter((name) => each[name]?.trim()));
  const unknown = new Set(set.filter((name) => name.startsWith('TELEMETRY_') && !KNOWN.has(name)));
  return [...unknown].sort().map((name) => `${name} is not known${meant(name, NAMES, '')}`);
}

/** Settings that are right each by itself, and do not go together. */
import { CLIENT_SETTINGS } from '../../client/config.ts';
import type { Config } from '../../config.ts';
import type { Settings } from '../../config/environment.ts';
import { type Setting, SETTINGS } from '../../config/settings.ts';
import type { Environment } from '../terminal.ts';
import type { Row } from './row.ts';

interface Named {
  name: string;
  alias?: string;
  secret?: boolean;
}

export interface Shown {
  environment: Environment;
  settings: Settings;
  config: Config;
  service: readonly Row[];
  client: readonly Row[];
}

const PATHS: readonly string[] = [
  'TELEMETRY_BASE_DIR',
  'TELEMETRY_DB_PATH',
  'TELEMETRY_LOCK_FILE',
  'TELEMETRY_NDJSON_DIR',
  'TELEMETRY_BUFFER_DIR',
];

type Check = (shown: Shown, warn: (warning: string) => void) => void;

/** What is worth a warning, in words with the remedy. */
export function warningsTogether(shown: Shown): string[] {
  const warnings: string[] = [];
  for (const check of [foldersApart, addressApart, withoutToken, unread, literal])
    check(shown, (warning) => warnings.push(warning));
  return warnings;
}

const valueIn = (rows: readonly Row[], name: string): Row['value'] | undefined =>
  rows.find((row) => row.name === name)?.value;

/** Folders where clients leave what the service fetches: they must mean the same. */
const foldersApart: Check = ({ service, client }, warn) => {
  for (const name of ['TELEMETRY_BUFFER_DIR']) {
    const [ours, theirs] = [valueIn(service, name), valueIn(client, name)].map(String);
    if (ours === theirs) continue;
    warn(
      `${name} is ${ours} for the service and ${theirs} for clients, which read no .env; ` +
        'set it in their environment, so that what they leave is found',
    );
  }
};

/** Clients that speak to this machine, but not to the port that the service would have. */
const addressApart: Check = ({ client, config }, warn) => {
  const address = String(valueIn(client, 'TELEMETRY_API_URL'));
  const url = URL.parse(address);
  if (!url || config.http.port === 0 || !/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  if (port !== config.http.port) {
    warn(
      `TELEMETRY_API_URL sends clients to ${address}, and the service here is on port ${config.http.port} (TELEMETRY_API_PORT); ` +
        'set both to the same port, unless something between the two hands requests on',
    );
  }
};

const withoutToken: Check = ({ client, config }, warn) => {
  if (config.http.token !== undefined && valueIn(client, 'TELEMETRY_API_AUTH_TOKEN') === null) {
    warn(
      'TELEMETRY_API_AUTH_ENABLED is on and clients have no token, so the service refuses what they send; ' +
        'set TELEMETRY_API_AUTH_TOKEN in their environment too, for they read no .env',
    );
  }
};

const namesOf = ({ name, alias, secret }: Named): string[] => [
  name,
  ...(alias === undefined ? [] : [alias]),
  ...(secret ? [`${name}_FILE`] : []),
];

/** Variables for clients alone that stand where clients do not look. */
const unread: Check = ({ environment, settings }, warn) => {
  const ours = new Set((SETTINGS as readonly Setting[]).map(({ name }) => name));
  for (const setting of CLIENT_SETTINGS as readonly Named[]) {
    const names = namesOf(setting);
    if (ours.has(setting.name) || names.some((name) => environment[name]?.trim())) continue;
    for (const name of names.filter((each) => settings.dotenv[each]?.trim()))
      warn(`${name} is for clients and stands in .env only, which they do not read; set it in their environment`);
  }
};

/** Paths that a shell would have completed. */
const literal: Check = ({ settings: { dotenv, origins } }, warn) => {
  for (const setting of (SETTINGS as readonly Setting[]).filter(({ name }) => PATHS.includes(name))) {
    // Where the environment says another, this one has no effect.
    if (!origins[setting.name]?.startsWith('.env')) continue;
    const name = namesOf(setting).find((each) => dotenv[each]?.trim());
    if (name !== undefined && dotenv[name]?.trim().startsWith('~'))
      warn(`${name} in .env begins with ~, which only a shell reads as the home directory; write the whole path`);
  }
};

/** A setting as it is shown. */
import { withoutCredentials } from '../../run.ts';

export interface Row {
  name: string;
  /** Null where nothing is set and there is no default. Secrets are masked. */
  value: string | number | boolean | null;
  /** Where it comes from. */
  source: string;
}

interface Shown {
  name: string;
  value: unknown;
  secret: boolean;
  source: string | undefined;
}

export function rowOf({ name, value, secret, source }: Shown): Row {
  const given = value === undefined || value === '' ? null : (value as Row['value']);
  const safe = typeof given === 'string' && /^\w+:\/\//.test(given) ? withoutCredentials(given) : given;
  return {
    name,
    value: secret && given !== null ? '********' : safe,
    source: source ?? (given === null ? 'unset' : 'default'),
  };
}

/** Reads the environment and `.env` into checked values; every problem at once, each with its remedy. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import envSchema from 'env-schema';
import { describe, systemCode, TelemetryError } from '../errors.ts';
import { expectation, FALSE, type Setting, type SettingName, SETTINGS, TRUE, WITHOUT_EFFECT } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Values = Readonly<Record<SettingName, string | number | boolean | undefined>>;

const TABLE: readonly Setting[] = SETTINGS;

interface SchemaError {
  instancePath: string;
}

export interface Settings {
  /** Where a setting is wrong, its default. */
  values: Values;
  problems: string[];
  /** Names of settings that are set but have no effect here. */
  ignored: string[];
  /** By name, where a value comes from: `environment`, `.env`, each perhaps with an older name, `file …`; defaults are not in it. */
  origins: Readonly<Partial<Record<string, string>>>;
  /** What the `.env` file says. */
  dotenv: Environment;
}

/** A value as it is given, and where. */
interface Given {
  value: string;
  origin: string;
}

/**
 * The settings; those of `environment` win over those of the `.env` file.
 *
 * @param dotenv path of the `.env` file, which may be missing; null reads none
 */
export function readSettings(environment: Environment, dotenv: string | null): Settings {
  const problems: string[] = [];
  const file = readDotenv(dotenv, problems);
  // Each source by itself, so that an older name in the real environment wins over the newer in the file.
  const given = { ...givenIn(file, '.env', problems), ...givenIn(environment, 'environment', problems) };
  const raw = mapped(given, ({ value }) => value);
  const values = checked(raw, problems);
  for (const setting of TABLE) {
    if (setting.kind === 'boolean') values[setting.name] = TRUE.includes(String(values[setting.name]));
  }
  const ignored = WITHOUT_EFFECT.filter((name) => [file, environment].some((source) => source[name]?.trim()));
  const origins = mapped(given, ({ origin }, name) => (name in raw ? origin : undefined));
  return { values: values as Values, problems, ignored, origins, dotenv: file };
}

type Checked = Record<string, string | number | boolean | undefined>;

const mapped = <T, U>(values: Readonly<Record<string, T>>, map: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]));

/** The values as env-schema checks and coerces them; what is wrong becomes a problem, goes from `raw`, and leaves its default. */
function checked(raw: Record<string, string>, problems: string[]): Checked {
  const wrong = new Set(TABLE.filter((setting) => !isWhole(setting, raw[setting.name])).map(({ name }) => name));
  try {
    if (wrong.size === 0) return envSchema({ schema: SCHEMA, data: raw, env: false });
  } catch (error) {
    const errors = (error as { errors?: SchemaError[] }).errors;
    if (!errors) throw error;
    for (const { instancePath } of errors) wrong.add(instancePath.slice(1));
  }
  for (const setting of TABLE.filter(({ name }) => wrong.has(name))) {
    problems.push(`${setting.name} ${expectation(setting)}, not "${shown(setting, raw)}"`);
    delete raw[setting.name];
  }
  return checked(raw, problems);
}

// JSON Schema's coercion would take 0x10, 1e3 and Infinity for whole numbers.
const isWhole = ({ kind }: Setting, value: string | undefined): boolean =>
  kind !== 'integer' || value === undefined || /^[+-]?\d+$/.test(value);

export function refused(problems: readonly string[]): TelemetryError {
  const list = problems.map((problem) => `\n  - ${problem}`).join('');
  return new TelemetryError('refused', `The configuration is not usable:${list}`);
}

/** Set and not blank values by name: aliases resolved, secrets read from their files, letter case settled. */
function givenIn(environment: Environment, source: string, problems: string[]): Record<string, Given> {
  const given: Record<string, Given> = {};
  for (const setting of TABLE) {
    const own = environment[setting.name]?.trim();
    let value = own || (setting.alias && environment[setting.alias]?.trim());
    const file = setting.secret && environment[`${setting.name}_FILE`]?.trim();
    if (file && value) problems.push(`${setting.name} and ${setting.name}_FILE are both set; keep one of them`);
    else if (file) value = readSecret(setting.name, file, problems);
    if (!value) continue;
    if (setting.kind === 'choice') value = value.toUpperCase();
    if (setting.kind === 'boolean') value = value.toLowerCase();
    given[setting.name] = { value, origin: own ? source : file ? `file ${file}` : `${source} (${setting.alias})` };
  }
  return given;
}

function readSecret(name: string, file: string, problems: string[]): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret === '') problems.push(`${name}_FILE names ${file}, which is empty; put the secret into it`);
    return secret;
  } catch (error) {
    problems.push(`${name}_FILE names ${file}, which cannot be read (${describe(error)}); let this user read it`);
    return undefined;
  }
}

function readDotenv(path: string | null, problems: string[]): Environment {
  if (path === null) return {};
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Environment;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      problems.push(`${path} cannot be read (${describe(error)}); let this user read it, or remove it`);
    return {};
  }
}

/** The settings as the JSON Schema that env-schema checks and coerces by; one object, for it compiles each object anew. */
const SCHEMA: object = schemaOf(TABLE);

function schemaOf(table: readonly Setting[]): object {
  const properties = Object.fromEntries(
    table.map((setting): [string, object] => {
      const fallback = setting.default === undefined ? {} : { default: setting.default };
      if (setting.kind === 'integer') {
        const whole = setting.default === undefined ? {} : { default: Number(setting.default) };
        return [setting.name, { type: 'integer', minimum: setting.min, maximum: setting.max, ...whole }];
      }
      const allowed = setting.kind === 'boolean' ? [...TRUE, ...FALSE] : setting.choices;
      return [setting.name, { type: 'string', ...(allowed && { enum: allowed }), ...fallback }];
    }),
  );
  return { type: 'object', properties };
}

function shown(setting: Setting, raw: Record<string, string>): string {
  return setting.secret ? '(hidden)' : String(raw[setting.name]);
}

/** The configuration; where it is wrong, the paths in it are looked at all the same. */
import { type Config, loadConfig } from '../../config.ts';
import { readSettings } from '../../config/environment.ts';
import { describe } from '../../errors.ts';
import { bad, type Check, ok, warning } from '../../offline/check.ts';
import { environmentOf } from '../options.ts';
import type { Terminal } from '../terminal.ts';

const PATHS = [
  'TELEMETRY_BASE_DIR',
  'TELEMETRY_DB_PATH',
  'TELEMETRY_LOCK_FILE',
  'TELEMETRY_NDJSON_DIR',
  'TELEMETRY_BUFFER_DIR',
] as const;

export function checkSettings(
  args: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): { config: Config; check: Check } {
  const environment = environmentOf(args, terminal);
  try {
    const config = loadConfig(environment);
    if (config.warnings.length === 0) return { config, check: ok('configuration', 'complete') };
    const [first = '', ...rest] = config.warnings;
    const { seen, remedy } = divided(first);
    return { config, check: warning('configuration', seen, remedy, rest) };
  } catch (error) {
    const { values } = readSettings(environment, '.env');
    const paths = PATHS.map((name) => [name, values[name]] as const).filter(([, value]) => typeof value === 'string');
    const config = loadConfig(Object.fromEntries(paths) as Record<string, string>, null);
    const lines = describe(error).split('\n').filter(Boolean);
    const remedy =
      'Set these, in the environment or in .env; what follows looks at the paths, with defaults for the rest';
    return { config, check: bad('configuration', 'wrong settings: the service does not start', remedy, lines) };
  }
}

/** A warning says what is, and behind the semicolon what to do. */
function divided(text: string): { seen: string; remedy: string } {
  const at = text.indexOf('; ');
  if (at === -1) return { seen: text, remedy: 'See docs/configuration.md' };
  return { seen: text.slice(0, at), remedy: text.slice(at + 2) };
}

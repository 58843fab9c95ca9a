/**
 * Log lines on stdout: one JSON object a line, written asynchronously, spaced the way operators'
 * greps expect (`"is_slow": true`). Never a token, never a body.
 */
import sonicBoom from 'sonic-boom';
import type { LogLevel } from './config.ts';
import { visibleJson } from './run/visible.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Resolves once what was logged is written out, or cannot be; to be awaited last. */
  flush(): Promise<void>;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40 };

/**
 * @param fd descriptor to write to; 1 is stdout
 */
export function createLogger(level: LogLevel, fd = 1): Logger {
  const sink = new sonicBoom.SonicBoom({ fd, sync: false, maxLength: 16 * 1024 * 1024 });
  // A reader that has gone (`service | head`) must not take the service with it.
  sink.on('error', () => undefined);
  const write = (severity: LogLevel) => {
    if (SEVERITY[severity] < SEVERITY[level]) return () => undefined;
    return (message: string, fields: LogFields = {}) => {
      const line = {
        timestamp: new Date().toISOString(),
        level: severity,
        logger: 'telemetry_api',
        message,
        ...fields,
      };
      // Whoever reads the log on a terminal must not be commanded by what a client has sent.
      sink.write(`${visibleJson(spaced(line))}\n`);
    };
  };
  return {
    debug: write('DEBUG'),
    info: write('INFO'),
    warning: write('WARNING'),
    error: write('ERROR'),
    flush: () =>
      new Promise((resolve) => {
        sink.once('error', () => resolve());
        sink.flush(() => resolve());
      }),
  };
}

/** JSON with a space behind each colon and comma. */
export function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${spaced(member)}`).join(', ')}}`;
}

/** A Prometheus of Debian or elsewhere, version 2 or 3, with our configuration and a folder of its own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, lineOf, start, stop } from '../deploy/checks.ts';
import { CONFIGURATION, RULES } from './expressions.ts';

export interface Sample {
  metric: Record<string, string>;
  value: [time: number, value: string];
}

export interface Rule {
  name: string;
  query: string;
  health: string;
  lastError?: string;
  state: string;
}

interface Target {
  health: string;
  lastError: string;
}

export interface Prometheus {
  /** @throws Error with Prometheus' own words, such as a parse error */
  query(expression: string): Promise<Sample[]>;
  names(): Promise<string[]>;
  rules(): Promise<Rule[]>;
  targets(): Promise<Target[]>;
  /** Lines of its log that are warnings or errors. */
  complaints: string[];
  stop(): Promise<unknown>;
}

/** Replaces exactly one place. @throws Error where the file has changed and there is none */
function changed(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`prometheus.yml has not exactly one ${JSON.stringify(from)}`);
  return text.replace(from, () => to);
}

/** Our prometheus.yml with what differs here: quick, this port, and the token switched on as the comment says. */
function configurationFor(port: number, tokenFile: string): string {
  let text = changed(CONFIGURATION, 'scrape_interval: 15s', 'scrape_interval: 2s');
  text = changed(text, 'evaluation_interval: 15s', 'evaluation_interval: 2s');
  text = changed(text, '127.0.0.1:8765', `127.0.0.1:${port}`);
  text = changed(text, '# authorization:', 'authorization:');
  return changed(
    text,
    '#   credentials_file: /etc/prometheus/local-telemetry.token',
    `  credentials_file: ${tokenFile}`,
  );
}

/** @param folder for its configuration and its storage @param port the service's @param tokenFile holds the service's token */
export async function startPrometheus(folder: string, port: number, tokenFile: string): Promise<Prometheus> {
  const configuration = join(folder, 'prometheus.yml');
  writeFileSync(configuration, configurationFor(port, tokenFile));
  writeFileSync(join(folder, 'alerts.yml'), RULES);
  const address = `127.0.0.1:${await freePort()}`;
  const child = start('prometheus', [
    `--config.file=${configuration}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ]);
  const complaints: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints.push(...text.split('\n').filter((line) => /\blevel=(warn|error)/i.test(line)));
  });
  await lineOf(child, 'stderr', /Server is ready to receive web requests/);
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://${address}/api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: T };
    if (status !== 'success') throw new Error(error ?? `Prometheus answered ${response.status}`);
    return data;
  };
  return {
    query: async (expression) =>
      (await ask<{ result: Sample[] }>(`query?${new URLSearchParams({ query: expression }).toString()}`)).result,
    names: () => ask<string[]>('label/__name__/values'),
    rules: async () => (await ask<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap(({ rules }) => rules),
    targets: async () => (await ask<{ activeTargets: Target[] }>('targets')).activeTargets,
    complaints,
    stop: () => stop(child),
  };
}

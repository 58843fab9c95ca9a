/** nginx with our site, as a normal process in a temporary folder, on high ports of 127.0.0.1. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, lineOf, start } from './checks.ts';

export const SITE = new URL('../../deploy/nginx/local-telemetry.conf', import.meta.url);
export const NAME = 'telemetry.example.org';

export interface Nginx {
  child: ChildProcess;
  httpPort: number;
  httpsPort: number;
  /** Of the service behind it. */
  servicePort: number;
  /** The certificate, which signs itself. */
  ca: Buffer;
  /** What nginx -t printed. */
  tested: string;
}

/** Starts nginx; resolves when it listens. @param folder takes all of its files */
export async function startNginx(folder: string): Promise<Nginx> {
  const [httpPort, httpsPort, servicePort] = [await freePort(), await freePort(), await freePort()];
  const certificate = makeCertificate(folder);
  writeFileSync(join(folder, 'site.conf'), siteOf({ httpPort, httpsPort, servicePort, ...certificate }));
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(configuration, frameOf(folder));
  const tested = spawnSync('nginx', ['-t', '-p', folder, '-c', configuration], { encoding: 'utf8' });
  if (tested.status !== 0) throw new Error(`nginx -t: ${tested.stderr}`);
  const child = start('nginx', ['-p', folder, '-c', configuration, '-e', 'stderr']);
  await lineOf(child, 'stderr', /start worker process \d/);
  return { child, httpPort, httpsPort, servicePort, ca: readFileSync(certificate.certificate), tested: tested.stderr };
}

interface Replacements {
  httpPort: number;
  httpsPort: number;
  servicePort: number;
  certificate: string;
  key: string;
}

/** Our site with its ports and certificate replaced. @throws Error where a line that is to be replaced is not there */
export function siteOf({ httpPort, httpsPort, servicePort, certificate, key }: Replacements): string {
  const replacements: readonly (readonly [from: string, to: string])[] = [
    ['listen 80;', `listen 127.0.0.1:${httpPort};`],
    ['listen [::]:80;', ''],
    ['listen 443 ssl http2;', `listen 127.0.0.1:${httpsPort} ssl http2;`],
    ['listen [::]:443 ssl http2;', ''],
    ['server 127.0.0.1:8765;', `server 127.0.0.1:${servicePort};`],
    [`/etc/ssl/${NAME}/fullchain.pem`, certificate],
    [`/etc/ssl/${NAME}/privkey.pem`, key],
  ];
  let text = readFileSync(SITE, 'utf8');
  for (const [from, to] of replacements) {
    if (text.split(from).length !== 2) throw new Error(`The site does not have "${from}" once`);
    text = text.replace(from, to);
  }
  return text;
}

function frameOf(folder: string): string {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = places.map((place) => `${place}_temp_path ${join(folder, place)};`).join('\n  ');
  for (const place of places) mkdirSync(join(folder, place));
  // As root the workers would become nobody, who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log ${join(folder, 'access.log')};
  ${paths}
  include ${join(folder, 'site.conf')};
}
`;
}

function makeCertificate(folder: string): { certificate: string; key: string } {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const name = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
  const made = spawnSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate]);
  if (made.status !== 0) throw new Error(`openssl: ${String(made.stderr)}`);
  return { certificate, key };
}

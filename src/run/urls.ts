/** Links to a run's repository and commit, from the many ways git writes a remote. Total, and linear: readers meet any text. */
// user@host:path; without a user the host must have a dot, for C:\\repo and data:text are no hosts.
const SCP_LIKE = /^(?:[^@/\s]+@([A-Za-z0-9.-]+)|([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)):(?!\/\/)\/?([^\\\s][^\s]*)$/;
const COMMIT = /^[0-9A-Za-z._-]{1,64}$/;
const COMMIT_PATH: ReadonlyMap<string, string> = new Map([
  ['github.com', '/commit/'],
  ['gitlab.com', '/-/commit/'],
  ['bitbucket.org', '/commits/'],
]);

/** A longer remote is no address that anyone visits, and one that was cut leads elsewhere. */
const MAX_REMOTE = 2_048;
const CUT = '…';

/** Not URL.parse: the client has this file too, and may run on a Node that does not know it. */
const parsed = (address: string): URL | undefined => (URL.canParse(address) ? new URL(address) : undefined);

function parseRemote(remote: string): URL | undefined {
  const scp = SCP_LIKE.exec(remote);
  const url = parsed(scp ? `ssh://${scp[1] ?? scp[2]}/${scp[3]}` : remote);
  if (!url || !/^(https?|ssh|git|git\+ssh|git\+https):$/.test(url.protocol) || url.hostname === '') return undefined;
  return url;
}

/**
 * The https address of a repository, without credentials, `.git` or trailing slash.
 *
 * @param remote `git@host:o/r.git`, `ssh://…`, `git://…`, `https://…`; plain http only for hosts known to serve https
 * @returns undefined where it has none
 */
export function repoUrl(remote: string | null): string | undefined {
  if (remote === null || remote.length > MAX_REMOTE || remote.endsWith(CUT)) return undefined;
  const url = parseRemote(withoutCredentials(remote).trim());
  if (!url) return undefined;
  if (url.protocol === 'http:' && !COMMIT_PATH.has(url.hostname.toLowerCase())) return undefined;
  const path = withoutSlashes(withoutSlashes(url.pathname).replace(/\.git$/, ''));
  if (path === '') return undefined;
  const host = url.protocol.endsWith('https:') ? url.host : url.hostname;
  const address = `https://${host.toLowerCase()}${path}`;
  // ssh has hosts that https has not: build.7, 1.2.3.4.5.
  return parsed(address) && address;
}

// Not /\/+$/, which begins anew at each slash of a long row of them.
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** The address of a commit; only for github.com, gitlab.com and bitbucket.org, by exact host. */
export function commitUrl(remote: string | null, hash: string | null): string | undefined {
  return commitUrlAt(commitsUrl(remote), hash);
}

/** What the addresses of a repository's commits begin with. */
export function commitsUrl(remote: string | null): string | undefined {
  return commitsUrlAt(repoUrl(remote));
}

/** @param repo by `repoUrl` */
function commitsUrlAt(repo: string | undefined): string | undefined {
  const path = repo === undefined ? undefined : COMMIT_PATH.get(parsed(repo)?.host ?? '');
  return path === undefined ? undefined : `${repo}${path}`;
}

/** @param commits by `commitsUrl` */
export function commitUrlAt(commits: string | undefined, hash: string | null): string | undefined {
  if (commits === undefined || hash === null || !COMMIT.test(hash) || hash.includes('..')) return undefined;
  return `${commits}${hash}`;
}

/** What is stored beside a remote, once for all readers: `repoUrl` and `commitsUrl`, '' for none. */
export interface Addresses {
  repo: string;
  commits: string;
}

/** Remotes remembered; there are far more runs than repositories, and to parse an address takes longer than all else of a run. */
const MAX_REMOTES = 1_000;

const NONE: Addresses = { repo: '', commits: '' };

/** What a function makes of remotes, those of lately remembered: there are far more runs than repositories. */
export function remembered<T>(of: (remote: string) => T): (remote: string) => T {
  const known = new Map<string, T>();
  return (remote) => {
    if (remote.length > MAX_REMOTE) return of(remote);
    const found = known.get(remote);
    if (found !== undefined) return found;
    if (known.size >= MAX_REMOTES) known.clear();
    const made = of(remote);
    known.set(remote, made);
    return made;
  };
}

/** The addresses of anything that the column `git_repo` may hold. */
export function addressBook(): (remote: unknown) => Addresses {
  const addressesOf = remembered((remote): Addresses => {
    const repo = repoUrl(remote);
    return { repo: repo ?? '', commits: commitsUrlAt(repo) ?? '' };
  });
  return (remote) => (typeof remote !== 'string' || remote.length > MAX_REMOTE ? NONE : addressesOf(remote));
}

/** Changes of which one brings the next to light, in a remote that nobody wrote by mistake. */
const MAX_ROUNDS = 8;

/**
 * A remote as it may be stored and shown: without what any parser of addresses may read as a user's secret, and without query
 * and fragment where it is an address. Only for ssh the user stays, who is no secret there. In doubt more goes: a link may be lost.
 */
export function withoutCredentials(remote: string): string {
  if (!/[@?#]/.test(remote)) return remote;
  let text = remote;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    // Parsers of addresses leave these out, wherever they stand.
    const clean = text.includes('@') ? text.replaceAll(/[\t\n\r]/g, '') : text;
    const next = withoutSecrets(clean);
    if (next === text) return text;
    text = next;
  }
  return text.slice(text.lastIndexOf('@') + 1);
}

// Slashes of either kind, and any number of them, are read as two; behind these schemes so is none at all.
const ADDRESS = /^[\0-\x20\s]*(?:([a-z][a-z0-9+.-]*):)?([/\\]*)/i;
const SCHEMES = /^(?:git\+)?(?:https?|ssh|git|wss?|ftps?|svn|rsync|file)$/i;

function withoutSecrets(remote: string): string {
  const [start = '', scheme = '', slashes = ''] = ADDRESS.exec(remote) ?? [];
  const drive = scheme.length === 1 && slashes.length === 1;
  const address = scheme === '' ? slashes.length > 1 : (slashes !== '' || SCHEMES.test(scheme)) && !drive;
  if (!address) return withoutSecretsOfHost(remote);
  const rest = remote.slice(start.length);
  const within = authorityOf(rest).lastIndexOf('@') + 1;
  const host = rest.slice(within);
  const tail = within + (isTorn(authorityOf(host), host) ? host.lastIndexOf('@') + 1 : 0);
  const user = /ssh$/i.test(scheme) && tail > 0 ? /^[^:@]*/.exec(rest)?.[0] : '';
  const path = rest.slice(tail).replace(/[?#].*$/s, '');
  return start + (user ? `${user}@` : '') + path.replaceAll(EMBEDDED, '$1$2');
}

// An address may hold another: hg::https://…, https://proxy/https://…. It takes what it has looked at, so that nothing is looked at again.
const EMBEDDED = /(:[/\\]{2,})(?:[^/?#]*@)?([^/?#@]*)/g;

// A backslash ends it for some parsers only: for a secret it is a character as any other.
const authorityOf = (text: string): string => /^[^/?#]*/.exec(text)?.[0] ?? '';

/** `u:pa/ss@host`: no port is spelled so, and what stands before the last @ is a secret. @param authority has no @ itself */
function isTorn(authority: string, text: string): boolean {
  const port = /:(\d*)(.?)/s.exec(authority.replace(/^\[[^\]]*\]/, ''));
  if (!port) return false;
  return port[2] !== '' || /^[?#]/.test(text.slice(authority.length));
}

const HOST_AND_PATH = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+[:/]/;

/** `u:p@host:path`. Kept are `user@host:path`, `host:path@1` and the paths of files. */
function withoutSecretsOfHost(given: string): string {
  const remote = given.replaceAll(EMBEDDED, '$1$2');
  const first = authorityOf(remote);
  const colon = first.indexOf(':');
  if (colon === -1 || /^[a-z]:[/\\]/i.test(remote)) return remote;
  const at = remote.indexOf('@') < colon ? -1 : first.lastIndexOf('@');
  if (at > colon) return remote.slice(at + 1);
  const last = remote.lastIndexOf('@');
  const behind = remote.slice(last + 1);
  const named = /[@.]/.test(first.slice(0, colon));
  return last > colon && (named ? HOST_AND_PATH : /[:/]/).test(behind) ? behind : remote;
}

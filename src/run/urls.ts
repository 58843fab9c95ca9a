/** Links to a run's repository and commit, from the many ways git writes a remote. */
// user@host:path; without a user the host must have a dot, for C:\\repo and data:text are no hosts.
const SCP_LIKE = /^(?:[^@/\s]+@([A-Za-z0-9.-]+)|([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)):(?!\/\/)\/?([^\\\s][^\s]*)$/;
const COMMIT = /^[0-9A-Za-z._-]{1,64}$/;
const COMMIT_PATH: ReadonlyMap<string, string> = new Map([
  ['github.com', '/commit/'],
  ['gitlab.com', '/-/commit/'],
  ['bitbucket.org', '/commits/'],
]);

function parseRemote(remote: string): URL | undefined {
  const scp = SCP_LIKE.exec(remote);
  const address = scp ? `ssh://${scp[1] ?? scp[2]}/${scp[3]}` : remote;
  // Not URL.parse: the client has this file too, and may run on a Node that does not know it.
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (!/^(https?|ssh|git|git\+ssh|git\+https):$/.test(url.protocol) || url.hostname === '') return undefined;
  return url;
}

/**
 * The https address of a repository, without credentials, `.git` or trailing slash.
 *
 * @param remote `git@host:o/r.git`, `ssh://…`, `git://…`, `https://…`; plain http only for hosts known to serve https
 * @returns undefined where it has none
 */
export function repoUrl(remote: string | null): string | undefined {
  const url = remote === null ? undefined : parseRemote(remote.trim());
  if (!url) return undefined;
  if (url.protocol === 'http:' && !COMMIT_PATH.has(url.hostname.toLowerCase())) return undefined;
  const path = url.pathname
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/\/+$/, '');
  if (path === '') return undefined;
  const host = url.protocol.endsWith('https:') ? url.host : url.hostname;
  return `https://${host.toLowerCase()}${path}`;
}

/** The address of a commit; only for github.com, gitlab.com and bitbucket.org, by exact host. */
export function commitUrl(remote: string | null, hash: string | null): string | undefined {
  return commitUrlAt(commitsUrl(remote), hash);
}

/** What the addresses of a repository's commits begin with. */
export function commitsUrl(remote: string | null): string | undefined {
  const repo = repoUrl(remote);
  const path = repo === undefined ? undefined : COMMIT_PATH.get(new URL(repo).host);
  return path === undefined ? undefined : `${repo}${path}`;
}

/** @param commits by `commitsUrl` */
export function commitUrlAt(commits: string | undefined, hash: string | null): string | undefined {
  if (commits === undefined || hash === null || !COMMIT.test(hash) || hash.includes('..')) return undefined;
  return `${commits}${hash}`;
}

/**
 * A remote as it may be stored and shown: an address with a scheme and slashes loses its password, query and
 * fragment, and its user too except for ssh, where that is no secret.
 */
export function withoutCredentials(remote: string): string {
  // One slash, or three, is read as two by every URL parser.
  const parts = /^(\s*([a-z][a-z0-9+.-]*):\/+)(.*)$/is.exec(remote);
  if (!parts) return remote;
  const [, start = '', scheme = '', rest = ''] = parts;
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  // `u:pa/ss@host`: no port is spelled so, and what stands before the last @ is a secret.
  const broken = !authority.includes('@') && /:(?!\d*$)/.test(authority.replace(/^\[[^\]]*\]/, ''));
  const at = (broken ? rest : authority).lastIndexOf('@');
  const user = /ssh$/i.test(scheme) ? rest.slice(0, at + 1).replace(/:.*@$/s, '@') : '';
  return start + user + rest.slice(at + 1).replace(/[?#].*$/s, '');
}

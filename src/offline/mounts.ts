/** What kind of file system a path lies on, from the text of Linux's /proc/self/mountinfo. Pure. */
export interface Mount {
  mountPoint: string;
  type: string;
  /** Of the mount and of the file system. */
  options: string[];
}

export interface Verdict {
  state: 'ok' | 'warning' | 'bad';
  /** What it means; empty where it is ok. */
  why: string;
}

/** Locks, or what is flushed, cannot be relied on there. */
const SHARED =
  /^(nfs4?|cifs|smb3?|smbfs|ncpfs|9p|fuse|fuse\..+|vboxsf|virtiofs|vmhgfs|prl_fs|drvfs|wslfs|afs|openafs|coda|ceph|glusterfs|lustre|gpfs|beegfs|orangefs|pvfs2|ocfs2|gfs2|davfs2?|grpcfuse|fakeowner|osxfs)$/;

const FAT = /^(vfat|msdos|exfat|fuseblk|ntfs3?)$/;

/** The mounts in the order of the text; lines that are none are left out. */
export function parseMounts(mountinfo: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of mountinfo.split('\n')) {
    // ID parent major:minor root mountPoint options optional… - type source superOptions
    const [before = '', after] = splitOnce(line, ' - ');
    const [, , , , mountPoint, own] = before.split(' ');
    const [type, , superOptions = ''] = (after ?? '').split(' ');
    if (mountPoint === undefined || own === undefined || !type) continue;
    const options = [...new Set([...own.split(','), ...superOptions.split(',')].filter(Boolean))];
    mounts.push({ mountPoint: unescaped(mountPoint), type, options });
  }
  return mounts;
}

/** The mount that a path lies on: the longest mount point that holds it, and of several at one place the last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (!holds(mount.mountPoint, path)) continue;
    if (!best || mount.mountPoint.length >= best.mountPoint.length) best = mount;
  }
  return best;
}

/** What a file system means for a database on it. */
export function judgeMount({ type, options }: Mount): Verdict {
  if (options.includes('ro')) return { state: 'bad', why: 'it is mounted read-only: mount it for writing' };
  if (SHARED.test(type)) {
    return { state: 'bad', why: 'network and shared folders do not keep locks and flushes: use a local disk' };
  }
  const risky = options.find((option) => /^(nobarrier|barrier=0|data=writeback)$/.test(option));
  if (risky !== undefined) {
    return { state: 'warning', why: `a power cut may damage files with the option ${risky}: mount it without` };
  }
  if (type === 'overlay' || type === 'aufs') {
    return { state: 'warning', why: 'it is the layer of a container and goes with it: use a volume' };
  }
  if (/^(tmpfs|ramfs|devtmpfs)$/.test(type)) {
    return { state: 'warning', why: 'it is memory and gone with a restart: use a disk' };
  }
  if (FAT.test(type)) return { state: 'warning', why: 'a power cut may damage files there: use ext4 or xfs' };
  return { state: 'ok', why: '' };
}

const holds = (mountPoint: string, path: string): boolean =>
  mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);

/** Blanks, tabs, line ends and backslashes are written in octal, byte by byte. */
const unescaped = (text: string): string =>
  Buffer.from(
    Buffer.from(text)
      .toString('latin1')
      .replaceAll(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    'latin1',
  ).toString();

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** package.json and package-lock.json. Written by ourselves, for npm leaves out lines of the lock file that must stay. */

/** package.json with another version, and nothing else changed. @throws SyntaxError where it is no JSON */
export function withVersion(manifest: string, version: string): string {
  return textOf({ ...(JSON.parse(manifest) as object), version });
}

/** package-lock.json with another version of this package. @throws SyntaxError, or Error where it is of another form */
export function lockWithVersion(lock: string, version: string): string {
  const parsed = JSON.parse(lock) as { packages?: Record<string, object> };
  const own = parsed.packages?.[''];
  if (!own) throw new Error('package-lock.json has no entry for this package. Write it anew with npm install.');
  return textOf({ ...parsed, version, packages: { ...parsed.packages, '': { ...own, version } } });
}

const textOf = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

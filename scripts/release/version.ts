/** Versions: major.minor.patch, and nothing behind. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;
const STEPS = ['major', 'minor', 'patch'];

/**
 * The version of the next release.
 *
 * @param wanted a version, or which part of the current one goes up
 * @throws Error where it is neither, or is below the current one (which itself may not be released yet: its tag tells)
 */
export function nextVersion(current: string, wanted: string): string {
  const before = partsOf(current);
  if (!before) throw new Error(`package.json says version ${current}, which is not like 1.2.3. Put that right first.`);
  const step = STEPS.indexOf(wanted);
  if (step !== -1) return before.map((part, index) => (index < step ? part : index === step ? part + 1 : 0)).join('.');
  const after = partsOf(wanted);
  if (!after) throw new Error(`"${wanted}" is no version. Say major, minor, patch, or a version like 1.2.3.`);
  const changed = after.findIndex((part, index) => part !== before[index]);
  if (Number(after[changed]) < Number(before[changed])) {
    throw new Error(`${wanted} is below ${current}, the version of package.json. Say a greater one.`);
  }
  return wanted;
}

function partsOf(version: string): number[] | undefined {
  return VERSION.exec(version)?.slice(1).map(Number);
}

/** CHANGELOG.md: what has changed since the last release stands below "Unreleased", and a release gives it its name. */
const UNRELEASED = /^## Unreleased[ \t]*\n/m;

export interface Released {
  /** The whole changelog, with an empty section for what comes next. */
  changelog: string;
  /** What stood below Unreleased, without the heading. */
  notes: string;
}

/**
 * Gives what is unreleased a version and a date.
 *
 * @param date as YYYY-MM-DD
 * @throws Error where there is no such section, or no line in it, or the version has one already
 */
export function release(changelog: string, version: string, date: string): Released {
  const heading = UNRELEASED.exec(changelog);
  if (!heading) throw new Error('CHANGELOG.md has no section "## Unreleased". Add it, with a line for each change.');
  if (changelog.split('\n').some((line) => line === `## ${version}` || line.startsWith(`## ${version} `))) {
    throw new Error(`CHANGELOG.md has a section of ${version} already. Release a greater version.`);
  }
  const start = heading.index + heading[0].length;
  const next = changelog.slice(start).search(/^## /m);
  const end = next === -1 ? changelog.length : start + next;
  const notes = changelog.slice(start, end).trim();
  if (!notes.split('\n').some((line) => line.trim() !== '' && !line.startsWith('#'))) {
    throw new Error('Nothing stands below "## Unreleased" in CHANGELOG.md. Add a line for each change that users see.');
  }
  const rest = changelog.slice(end);
  const sections = [`## Unreleased\n`, `## ${version} - ${date}\n`, `${notes}\n`, ...(rest === '' ? [] : [rest])];
  return { changelog: changelog.slice(0, heading.index) + sections.join('\n'), notes: `${notes}\n` };
}

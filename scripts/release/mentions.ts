/** Where people copy the version from: an image's tag, the name of a package. A release sets it there, too. */
export const NAMING = ['deploy/kubernetes.yaml', 'deploy/windows/README.md', 'docs/container.md'] as const;

/** A text with another version wherever it names the current one. @throws Error where it names it nowhere */
export function withMentions(name: string, text: string, current: string, version: string): string {
  const mention = new RegExp(`(?<![\\d.])${current.replaceAll('.', '\\.')}(?!\\.?\\d)`, 'g');
  if (text.search(mention) === -1)
    throw new Error(`${name} does not name version ${current}. Put it in, or take the file out of the release.`);
  return text.replaceAll(mention, version);
}

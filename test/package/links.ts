/** Whether a reader of the package gets to whatever its documents link to. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const LINK = /\]\(([^)\s]+)\)/g;

/**
 * The relative links of all documents that lead to no file and no folder of the package.
 *
 * @param folder where the documents can be read
 * @param files of the package, as paths relative to it, with slashes
 */
export function brokenLinks(folder: string, files: readonly string[]): string[] {
  const there = new Set(files.flatMap((path) => [path, ...foldersOf(path)]));
  return files
    .filter((path) => path.endsWith('.md'))
    .flatMap((document) => {
      const links = [...readFileSync(join(folder, document), 'utf8').matchAll(LINK)].map(([, link]) => String(link));
      return links
        .filter((link) => !/^(#|[a-z]+:)/.test(link))
        .filter((link) => !there.has(targetOf(document, link)))
        .map((link) => `${document}: ${link}`);
    });
}

const targetOf = (document: string, link: string): string =>
  normalize(join(dirname(document), link.replace(/#.*/, ''))).replace(/\/$/, '');

const foldersOf = (path: string): string[] =>
  path.split('/').map((_, index, parts) => parts.slice(0, index).join('/') || '.');

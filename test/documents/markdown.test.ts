/** What is read out of a document is what its reader would type. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf, commandsOf, fileOf, isShown } from './markdown.ts';

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
const only = (document: string) => blocksOf(document)[0] ?? assert.fail('no block');

test('a block knows its line and its language, and is without the indentation of its list', () => {
  const [first, second] = blocksOf(
    `words\n\n   ${fenced('sh', '   npm start').replaceAll('\n```', '\n   ```')}\n\n${fenced('json', '{}')}\n`,
  );
  assert.deepEqual(first, { line: 3, language: 'sh', text: 'npm start\n', adjoins: false });
  assert.deepEqual(second, { line: 7, language: 'json', text: '{}\n', adjoins: true });
});

test('words between two blocks part them', () => {
  const blocks = blocksOf(`${fenced('sh', 'ls')}\n\nprints\n\n${fenced('text', 'a')}\n`);
  assert.deepEqual(
    blocks.map(({ adjoins }) => adjoins),
    [false, false],
  );
});

test('a command goes on in an open quote and behind a backslash, and ends before its comment', () => {
  const text = `curl -d '{\n  "a": "# no comment"\n}' # a comment\nls \\\n  -l\n# nothing\necho a#b "it's" \\# # c`;
  assert.deepEqual(commandsOf(only(fenced('sh', text))), [
    `curl -d '{\n  "a": "# no comment"\n}'`,
    'ls \\\n  -l',
    `echo a#b "it's" \\#`,
  ]);
});

test('a quote that is never closed is refused', () => {
  assert.throws(() => commandsOf(only(fenced('sh', "echo 'a"))), /does not end/);
});

test('a snippet is a file where its first line is a comment with the name of one', () => {
  assert.equal(fileOf(only(fenced('ts', '// agent.ts\nlet a;'))), 'agent.ts');
  assert.equal(fileOf(only(fenced('py', '# report.py\nprint(1)'))), 'report.py');
  assert.equal(fileOf(only(fenced('ts', '// counts the lines\nlet a;'))), undefined);
});

test('JSON is shown if its values are, and text if all but … is', () => {
  assert.ok(isShown('{"a":1}', only(fenced('json', '{ "a": 1 }'))));
  assert.ok(!isShown('{"a":2}', only(fenced('json', '{ "a": 1 }'))));
  assert.ok(isShown('3 runs, in 0.1 s\n', only(fenced('text', '3 runs, in … s'))));
  assert.ok(!isShown('4 runs, in 0.1 s\n', only(fenced('text', '3 runs, in … s'))));
});

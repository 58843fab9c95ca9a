/** Odd values, as JSON text. Lists first, so that all of them come; then some by chance. */
import type { Random } from '../../crash/random.ts';
import { quote } from './records.ts';

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const deepObject = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
const manyKeys = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":${index}`).join()}}`;

const NUMBERS = [
  ...['NaN', 'Infinity', '-Infinity', '1e999', '-1e999', '1e-999', '-0', '0.1', '5.0', '-1', '1E400', '2e3'],
  ...['9007199254740991', '9007199254740993', '9223372036854775807', '9223372036854775808', '-9223372036854775809'],
  ...[`1${'0'.repeat(400)}`, `0.${'0'.repeat(400)}1`, '1767225600', '1767225600.5', '1767225600000'],
  ...['"5"', '"5.0"', '" 5 "', '"1e3"', '"0x10"', '"-1"', '"٣"', '"1767225600"', '"NaN"', '"True"', '"False"'],
];
const PLAIN = [
  'null',
  'true',
  'false',
  '""',
  '" "',
  '"\\t\\n"',
  '[]',
  '{}',
  '[1]',
  '{"a":1}',
  '"text"',
  '"{}"',
  '"[1]"',
];
const UNICODE = [
  ...['"\\ud83d"', '"cut \\ud83d"', '"\\ude00 x"', '"\\ude00\\ud83d"', '{"\\ud83d":1}', '{"a":{"b\\udc00":"\\ud800"}}'],
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\u202e\\u0085\\u007f\\u009b31m"',
    '"\u0085\u009b\u202e\u2066"',
    '"\\ufeff"',
    '"\\uffff"',
  ],
  ...['"\\u001b[31m\\u001b]0;x\\u0007"', '"e\\u0301"', '"ß\u{10ffff}"', '"\\r\\n{}"'],
];
const JSONS = [
  ...['{"l":NaN}', '{"a":[Infinity,-Infinity,{"b":NaN}]}', '{"s":"NaN, Infinity"}', '{"__proto__":{"a":1}}'],
  ...['{"constructor":{"prototype":1}}', '{"toString":1,"hasOwnProperty":2}', '{"a":1,"a":2}', '{"":1}', '{"n":1e999}'],
  ...[
    '{"n":123456789012345678901234567890}',
    '"{\\"l\\":NaN}"',
    '"not json"',
    '"{"',
    nested(100),
    `{"d":${nested(400)}}`,
  ],
  ...[`{"d":${nested(500)}}`, `{"d":${nested(5_000)}}`, deepObject(499), deepObject(501), deepObject(3_000)],
  ...[manyKeys(5_000), `{"l":[${'1e999,'.repeat(2_000)}0]}`, `[${'{},'.repeat(2_000)}{}]`, `{"o":"cut \\ud83d"}`],
];
const TIMES = [
  ...[
    '2026-01-10T12:00:00+00:00Z',
    '2026-13-45',
    '0000-00-00T00:00:00Z',
    '9999-12-31T23:59:59.999999999999Z',
    '20260110',
  ],
  ...[
    '2026-01-10T12:00',
    '2026-02-30T00:00:00Z',
    '0001-01-01T00:00:00+23:59',
    '9999-12-31T23:59:59-23:59',
    'yesterday',
  ],
  ...['2026-01-10T12:00:00Z+00:00', '2026-01-10 12:00:00 +0200', '2026-W01', 'T', '2026-01-10T12:00:60Z', '1e9'],
].map(quote);
const REPOS = [
  ...[
    'git@build.7:team/site.git',
    'ssh://1.2.3.4.5/x',
    'https://github.com/a////x',
    'https://[::1',
    'git@[::1]:x',
    'ssh://[/x',
  ],
  ...[
    'https://%zz/x',
    'https://xn--/',
    'https://xn--a/b',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'git@999.999:x',
    '@:',
    ':',
  ],
  ...[
    'ssh://0x7f.1/x',
    'ssh://git@h:99999/x',
    'https://h:x/',
    'https://github.com/%2e%2e/x',
    'git@github.com:',
    'https://',
  ],
  ...[
    'git@a b:c',
    'https://a b/c',
    'https://\u202eb/c',
    'https://h/\u0000',
    'C:\\repo',
    '\\\\server\\share',
    '/srv/git/x.git',
  ],
].map(quote);
/** Nothing of this may come back out. */
export const SECRET = 'HUNTER2SECRET';
const CREDENTIALS = [
  ...[
    'https://u:P@h/x',
    'https:\\\\u:P@h',
    'https:u:P@h',
    'u:P@h:path',
    'HTTPS://u:P@h/x',
    'https:/u:P@h/x',
    'https:///u:P@h/x',
  ],
  ...[
    'ssh://u:P@h/x',
    'git://u:P@h/x',
    'https://u:P@h@g/x',
    ' https://u:P@h/x',
    'https://P@github.com/a/b',
    'https://:P@h/x',
  ],
  ...['https:\\/u:P@github.com/a/b', 'ht\ttps://u:P@h/x', 'https://u:P@build.7/x'],
].map((repo) => quote(repo.replace(/P(?=@)/, SECRET)));

/** What a long text repeats, and what stands before and behind it. */
const REPEATED = [
  '/',
  'a',
  '0',
  ':',
  '@',
  '.',
  'T',
  '-',
  '+',
  '%',
  '\\',
  ' ',
  ',',
  '(',
  '?',
  '#',
  'é',
  '😀',
  '\u0085',
  '9:',
  '/a',
  '%20',
];
const BEFORE = ['', '', 'https://github.com/a', 'git@', 'ssh://', 'https://', 'u:', '2026-01-10T', '{', 'git@h:'];
const BEHIND = ['', 'x', '.git', '@h/x', 'Z', '/', '"'];

/** A long text of few sorts of characters, up to half a MiB. */
export function longText(random: Random, bound = 2 ** 19): string {
  const piece = random.pick(REPEATED);
  const length = Math.floor(2 ** (random.next() * Math.log2(bound)));
  return random.pick(BEFORE) + piece.repeat(Math.ceil(length / Buffer.byteLength(piece))) + random.pick(BEHIND);
}

const REPO_BEFORE = [
  '',
  'https://github.com/a',
  'https://github.com',
  'https://',
  'git@h:',
  'git@',
  'ssh://h',
  'u:',
  'http://gitlab.com/a/b',
];
const REPO_REPEATED = ['/', '.git', ':', '@', '//', '.', '\\', 'a/', '-', '%2f', '\t', 'https:', 'é'];

/** An address that is odd, holds credentials, or goes on for long. */
export function oddRepo(random: Random): string {
  const die = random.next();
  if (die < 0.35) return random.pick(REPOS);
  if (die < 0.65) return random.pick(CREDENTIALS);
  const times = Math.floor(2 ** (random.next() * 16));
  return quote(random.pick(REPO_BEFORE) + random.pick(REPO_REPEATED).repeat(times) + random.pick(BEHIND));
}

/** Of exactly so many bytes. */
export const idOf = (prefix: string, bytes: number, filler = 'i'): string => {
  const room = bytes - prefix.length;
  const wide = Buffer.byteLength(filler);
  return prefix + filler.repeat(Math.floor(room / wide)) + 'i'.repeat(room % wide);
};

const ALL = [NUMBERS, PLAIN, UNICODE, JSONS, TIMES, REPOS];

/** A value for this field: one made for its kind more often than not. */
export function oddValue(random: Random, field: string): string {
  if (random.chance(0.08)) return quote(longText(random));
  if (field === 'git_repo' && random.chance(0.8)) return oddRepo(random);
  if (field.endsWith('_json') && random.chance(0.6)) return random.pick(JSONS);
  if ((field.endsWith('_at') || field.endsWith('_time')) && random.chance(0.5)) return random.pick(TIMES);
  return random.pick(random.pick(ALL));
}

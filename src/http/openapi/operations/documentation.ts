/** The document, and the page that shows it. */
import type { Answer, AnswerHeader, Operation } from '../operation.ts';
import { json } from '../schemas.ts';

const text = (description: string): AnswerHeader => ({ description, schema: { type: 'string' }, required: true });

const fileHeaders = {
  ETag: text('What names this version of the file, for `If-None-Match`.'),
  'Cache-Control': text('To be asked for each time.'),
  'Content-Security-Policy': text('What the page may load: only what comes from this service.'),
  'Referrer-Policy': text('No other site learns where a reader comes from.'),
};

/** A file of the page, and what is answered to whoever has it already. */
const file = (description: string, ...types: string[]): Readonly<Record<number, Answer>> => ({
  200: {
    description,
    content: Object.fromEntries(types.map((type) => [`${type}; charset=utf-8`, { schema: { type: 'string' } }])),
    headers: fileHeaders,
  },
  304: { description: 'What `If-None-Match` names is the newest.', headers: fileHeaders },
});

export const DOCUMENTATION_OPERATIONS = {
  getDocument: {
    tag: 'Documentation',
    summary: 'Get this document',
    description: 'The description of the API by OpenAPI 3.1, from which clients can be generated.',
    answers: { 200: { description: 'The document.', content: json('OpenApiDocument') } },
    failures: [],
  },
  getPage: {
    tag: 'Documentation',
    summary: 'Read the API in a browser',
    description: 'A page that shows this document and lets you try the routes.',
    answers: file('The page.', 'text/html'),
    failures: [],
  },
  getPageStyle: {
    tag: 'Documentation',
    summary: 'Get the style of the page',
    description: 'Loaded by the page.',
    answers: file('The style.', 'text/css'),
    failures: [],
  },
  getPageScript: {
    tag: 'Documentation',
    summary: 'Get a script of the page',
    description: 'Loaded by the page. By its own name the page is here too.',
    answers: file('The script.', 'text/javascript', 'text/html'),
    failures: [404],
  },
  redirectToPage: {
    tag: 'Documentation',
    summary: 'Find the page by its other name',
    description: 'Leads to `/docs`.',
    answers: {
      308: {
        description: 'It is at `/docs`, as the text says too.',
        content: { 'text/plain; charset=utf-8': { schema: { type: 'string' } } },
        headers: { Location: { description: 'Where it is.', schema: { const: '/docs' }, required: true } },
      },
    },
    failures: [],
  },
} as const satisfies Record<string, Operation>;

/** How a route is described, before it becomes a part of the document. Types only. */

/** JSON Schema 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Content {
  readonly schema: Schema;
  /** Real ones, by a name of one word. */
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
}

/** By media type. */
export type Contents = Readonly<Record<string, Content>>;

export interface Parameter {
  readonly description: string;
  readonly schema: Schema;
}

/** A header that an answer has, or may have. */
export interface AnswerHeader {
  readonly description: string;
  readonly schema: Schema;
  readonly required?: true;
}

export interface Answer {
  readonly description: string;
  readonly content?: Contents;
  readonly headers?: Readonly<Record<string, AnswerHeader>>;
}

/** The failures that are the same for every route; `failures.ts` describes them. */
export type FailureStatus = 400 | 401 | 404 | 408 | 413 | 415 | 422 | 429 | 500 | 503 | 507;

export type Tag = 'Runs' | 'Commits' | 'Totals' | 'Service' | 'Documentation';

export interface Operation {
  readonly tag: Tag;
  /** A few words, without a full stop. */
  readonly summary: string;
  /** Markdown. */
  readonly description: string;
  /** Of the query string, by name; those of the path are found in it. */
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: Content;
  /** What only this route answers, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Without 401 and 429, which routes that are not open have, and 500, which every route has. */
  readonly failures: readonly FailureStatus[];
}

/** What the document needs of a line of the route table. */
export interface DescribedRoute<Id extends string> {
  readonly method: string;
  readonly path: string;
  readonly operation: Id;
  readonly open?: true;
}

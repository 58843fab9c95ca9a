/**
 * Every message of an error, a warning or a finding that the code can print, with … where values stand; read from the
 * code itself. Lines of the log are not among them: docs/logs.md has those.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Message {
  /** File and line. */
  place: string;
  /** With … for each value. */
  text: string;
}

/** What tells somebody a text, beside errors and the functions that make one of what they are given. */
const TELLERS =
  /(^|\.)(warn|note|invalid|missing|salvage|reject|rejected|later|refine|define|services\.log\.warning|onUnusable|fail|failed|different|why)$/;
/** What a look at something found: name, what was seen, remedy. */
const FINDINGS = /^(bad|warning)$/;
/** Lists that collect problems and warnings. */
const LISTS = /\b(problems|warnings|errors|unopened)\.push$/;
/** Members that hold what is told to somebody. */
const MEMBERS = new Set(['msg', 'message', 'problem', 'problems', 'notStarted', 'reason', 'line', 'why']);
/** Functions whose answer is a message, or part of one. */
const SPEAKERS =
  /^(objection|objectionTo|commitFields|expectation|reasonToReject|reasonAgainst|unknownSettings|apart|unsound|tooMuchIn)$/;
/** Names of what holds messages, or the ends of some. */
const HOLDERS = /^(warnings|detail|WANTED)$/;
/** Notes of a migration's values and of a log, which are not messages. */
const SILENT = /^(src\/run\/(older|originals|times)|src\/actors\/writer\/older\/(copy|rows))/;

/** @param shortest texts with fewer characters are no sentences: names, types, codes */
export function messagesOf(pattern = 'src/**/*.ts', shortest = 10): Message[] {
  return globSync(pattern, { cwd: ROOT })
    .sort()
    .filter((path) => !SILENT.test(path))
    .map(treeOf)
    .flatMap((tree, _index, trees) => messagesIn(tree, trees))
    .filter(({ text }) => text.replaceAll('…', '').trim().length >= shortest && text.includes(' '));
}

const trees = new Map<string, ts.SourceFile>();

/** A file of the code, parsed once. */
function treeOf(path: string): ts.SourceFile {
  const text = (): string => readFileSync(join(ROOT, path), 'utf8');
  const tree = trees.get(path) ?? ts.createSourceFile(path, text(), ts.ScriptTarget.Latest, true);
  trees.set(path, tree);
  return tree;
}

function messagesIn(tree: ts.SourceFile, trees: readonly ts.SourceFile[]): Message[] {
  const makers = makersFor(tree, trees);
  const found = new Map<string, Message>();
  const visit = (node: ts.Node): void => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    for (const source of spokenBy(node, makers)) {
      for (const text of [...textsOf(source), ...partsOf(source)]) {
        const plain = text.replaceAll(/\s+/g, ' ').trim();
        if (!found.has(plain)) found.set(plain, { place: `${tree.fileName}:${line}`, text: plain });
      }
    }
    node.forEachChild(visit);
  };
  visit(tree);
  return [...found.values()];
}

const known = new WeakMap<ts.SourceFile, ReadonlySet<string>>();

/** Functions that may be called in a file and make an error of what they are given. */
function makersFor(tree: ts.SourceFile, trees: readonly ts.SourceFile[]): ReadonlySet<string> {
  const makers = new Set(makersIn(tree));
  const elsewhere = new Set(trees.flatMap((other) => [...makersIn(other)]));
  for (const statement of tree.statements) {
    const names = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (!names || !ts.isNamedImports(names)) continue;
    for (const { name } of names.elements) if (elsewhere.has(name.text)) makers.add(name.text);
  }
  return makers;
}

/** Functions of a file that put what they are given into an error, by themselves or by another of them. */
function makersIn(tree: ts.SourceFile): ReadonlySet<string> {
  const before = known.get(tree);
  if (before) return before;
  const makers = new Set<string>();
  const functions = functionsIn(tree);
  const saysWhatItIsGiven = ({ parameters, body }: WithBody): boolean => {
    const names = new Set(parameters.map((parameter) => parameter.name.getText()));
    let says = false;
    const visit = (node: ts.Node): void => {
      const ends = ts.isNewExpression(node) || ts.isCallExpression(node);
      if (ends && tells(node.expression.getText(), makers)) {
        const texts = (node.arguments ?? []).filter((argument) => !ts.isObjectLiteralExpression(argument));
        says ||= texts.some((text) => mentions(text, names));
      }
      const member = ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node);
      if (member && MEMBERS.has(node.name.getText())) says ||= mentions(node, names);
      node.forEachChild(visit);
    };
    if (body) visit(body);
    return says;
  };
  for (let size = -1; size !== makers.size;) {
    size = makers.size;
    for (const [name, declared] of functions) if (saysWhatItIsGiven(declared)) makers.add(name);
  }
  known.set(tree, makers);
  return makers;
}

const tells = (name: string, makers: ReadonlySet<string>): boolean =>
  /^\w*Error$/.test(name) || TELLERS.test(name) || makers.has(name);

type WithBody = ts.SignatureDeclaration & { body?: ts.Node | undefined };

function functionsIn(tree: ts.SourceFile): [name: string, declared: WithBody][] {
  const found: [string, WithBody][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name) found.push([node.name.text, node]);
    if (ts.isMethodDeclaration(node)) found.push([`this.${node.name.getText()}`, node]);
    if (ts.isVariableDeclaration(node) && node.initializer && ts.isArrowFunction(node.initializer)) {
      found.push([node.name.getText(), node.initializer]);
    }
    node.forEachChild(visit);
  };
  visit(tree);
  return found;
}

function mentions(node: ts.Node, names: ReadonlySet<string>): boolean {
  if (ts.isIdentifier(node)) return names.has(node.text);
  return node.forEachChild((child) => mentions(child, names) || undefined) ?? false;
}

/** The expressions at a node that become messages. */
function spokenBy(node: ts.Node, makers: ReadonlySet<string>): ts.Expression[] {
  if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
    const name = node.expression.getText();
    const given = [...(node.arguments ?? [])];
    if (FINDINGS.test(name)) return given.slice(1, 2);
    if (LISTS.test(name) || tells(name, makers)) return given;
  }
  if (ts.isPropertyAssignment(node) && MEMBERS.has(node.name.getText()) && !isFine(node.parent)) {
    return [node.initializer];
  }
  if (ts.isShorthandPropertyAssignment(node) && MEMBERS.has(node.name.text) && !isFine(node.parent)) return [node.name];
  if (ts.isVariableDeclaration(node) && HOLDERS.test(node.name.getText()) && node.initializer) {
    const { initializer } = node;
    if (!ts.isObjectLiteralExpression(initializer)) return [initializer];
    return initializer.properties.filter(ts.isPropertyAssignment).map((member) => member.initializer);
  }
  if (ts.isFunctionDeclaration(node) && SPEAKERS.test(node.name?.text ?? '')) return returnsOf(node);
  return [];
}

/** Part of a check that found nothing. */
const isFine = (literal: ts.ObjectLiteralExpression): boolean =>
  literal.properties.some((member) => member.getText() === "state: 'ok'");

/** The texts an expression may give; a name stands for what it was given, a call for what its function returns. */
function textsOf(node: ts.Expression, depth = 0): string[] {
  if (depth > 4) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression, depth);
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue, depth), ...textsOf(node.whenFalse, depth)];
  if (ts.isBinaryExpression(node)) return textsOfTwo(node, depth);
  if (ts.isArrowFunction(node)) return returnsOf(node).flatMap((value) => textsOf(value, depth + 1));
  if (ts.isIdentifier(node)) return declared(node).flatMap((value) => textsOf(value, depth + 1));
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    return declared(node.expression).flatMap((value) => textsOf(value, depth + 1));
  }
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) return textsOfMany(node, depth);
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap((one) => textsOf(one, depth + 1));
  return [];
}

/** A text for each of a list, or a list made one text. */
function textsOfMany(node: ts.CallExpression, depth: number): string[] {
  const { expression, name } = node.expression as ts.PropertyAccessExpression;
  if (/^(map|flatMap)$/.test(name.text)) return node.arguments.flatMap((one) => textsOf(one, depth + 1));
  return /^(join|replace)$/.test(name.text) ? textsOf(expression, depth + 1) : [];
}

/** Joined texts, where what is not known is a value; or one of two. */
function textsOfTwo({ left, right, operatorToken: { kind } }: ts.BinaryExpression, depth: number): string[] {
  if (kind === ts.SyntaxKind.PlusToken) {
    const [before, behind] = [left, right].map((side) => textsOf(side, depth)) as [string[], string[]];
    if (before.length + behind.length === 0) return [];
    const known = (texts: string[]): string[] => (texts.length > 0 ? texts : ['…']);
    return known(before).flatMap((one) => known(behind).map((other) => one + other));
  }
  if (kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.QuestionQuestionToken) {
    return [...textsOf(left, depth), ...textsOf(right, depth)];
  }
  return [];
}

/** The texts that stand for a value within a template: they may be sentences of their own. */
function partsOf(node: ts.Expression, depth = 0): string[] {
  if (depth > 3) return [];
  if (ts.isTemplateExpression(node)) {
    return node.templateSpans.flatMap(({ expression }) => [...textsOf(expression), ...partsOf(expression, depth + 1)]);
  }
  if (ts.isParenthesizedExpression(node)) return partsOf(node.expression, depth);
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap((one) => partsOf(one, depth));
  if (ts.isBinaryExpression(node)) return [node.left, node.right].flatMap((one) => partsOf(one, depth));
  if (ts.isIdentifier(node)) return declared(node).flatMap((value) => partsOf(value, depth + 1));
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    return declared(node.expression).flatMap((value) => partsOf(value, depth + 1));
  }
  return [];
}

/** What a name was given: in its function, else in the file; for a function what it returns. */
function declared(name: ts.Identifier): ts.Expression[] {
  let scope: ts.Node = name;
  while (scope.parent && !ts.isFunctionDeclaration(scope)) scope = scope.parent;
  const near = declaredIn(scope, name.text, true);
  return near.length > 0 ? near : declaredIn(name.getSourceFile(), name.text, false);
}

/** @param deep whether to look into what stands in functions, too */
function declaredIn(scope: ts.Node, name: string, deep: boolean): ts.Expression[] {
  const values: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name && node.initializer) {
      values.push(...(ts.isArrowFunction(node.initializer) ? returnsOf(node.initializer) : [node.initializer]));
    }
    const assigns = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken;
    if (assigns && node.left.getText() === name) values.push(node.right);
    if (ts.isFunctionDeclaration(node) && node.name?.text === name) values.push(...returnsOf(node));
    if (deep || !ts.isFunctionLike(node)) node.forEachChild(visit);
  };
  visit(scope);
  return values;
}

/** What a function may return. */
function returnsOf(node: ts.FunctionDeclaration | ts.ArrowFunction): ts.Expression[] {
  const { body } = node;
  if (!body) return [];
  if (!ts.isBlock(body)) return [body];
  const values: ts.Expression[] = [];
  const visit = (inner: ts.Node): void => {
    if (ts.isReturnStatement(inner) && inner.expression) values.push(inner.expression);
    if (!ts.isFunctionLike(inner)) inner.forEachChild(visit);
  };
  body.forEachChild(visit);
  return values;
}

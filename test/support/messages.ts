/** Every message of an error that the code can print, with … where values stand; read from the code itself. */
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

/** What makes an error or a warning of a text: constructors, and functions that all end in one. */
const MAKERS =
  /(^|\.)(TelemetryError|UsageError|HttpError|Error|TypeError|refused|damaged|noSpace|unavailable|unauthorized|wrong|invalidQuery|tooLarge|tooMuch|tooMany|missing|warn|push)$/;
/** Lists that collect problems and warnings. */
const LISTS = /\b(problems|warnings)\.push$/;

/** @param shortest texts with fewer characters are no sentences: names, types, codes */
export function messagesOf(pattern = 'src/**/*.ts', shortest = 16): Message[] {
  return globSync(pattern, { cwd: ROOT })
    .sort()
    .flatMap((path) => messagesIn(path))
    .filter(({ text }) => text.replaceAll('…', '').trim().length >= shortest && text.includes(' '));
}

function messagesIn(path: string): Message[] {
  const tree = ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true);
  const messages: Message[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && makesMessage(node)) {
      for (const argument of node.arguments ?? []) {
        for (const text of textsOf(argument)) {
          const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
          messages.push({ place: `${path}:${line}`, text: text.replaceAll(/\s+/g, ' ').trim() });
        }
      }
    }
    node.forEachChild(visit);
  };
  visit(tree);
  return messages;
}

function makesMessage(node: ts.NewExpression | ts.CallExpression): boolean {
  const name = node.expression.getText();
  return MAKERS.test(name) && (!name.endsWith('push') || LISTS.test(name));
}

/** The texts an expression may give; a name stands for what it was given in the same function. */
function textsOf(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return textsOf(node.left).flatMap((left) => textsOf(node.right).map((right) => left + right));
  }
  if (ts.isIdentifier(node)) return declaredTexts(node);
  return [];
}

function declaredTexts(name: ts.Identifier): string[] {
  const texts: string[] = [];
  let scope: ts.Node = name;
  while (scope.parent && !ts.isFunctionLike(scope)) scope = scope.parent;
  const visit = (node: ts.Node): void => {
    const declares = ts.isVariableDeclaration(node) && node.name.getText() === name.text && node.initializer;
    if (declares) texts.push(...textsOf(declares));
    node.forEachChild(visit);
  };
  visit(scope);
  return texts;
}

/**
 * Finds the prose of a file: the text of Markdown, and the comments and test names of source files.
 */
import ts from 'typescript';

/** A run of text that belongs together: a paragraph, a list item, a comment. */
export interface Prose {
  /** Its first line, from 1. */
  line: number;
  text: string;
  /** A heading is a phrase, not a sentence: "What it checks" is fine. */
  isHeading?: boolean;
}

const isTable = (line: string): boolean => /^\s*\|/.test(line);

/** @returns the lines of Markdown that are neither in a fenced block nor in a table */
export function markdownLines(text: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = [];
  let fence: string | null = null;
  for (const [i, line] of text.split('\n').entries()) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined && (fence === null || line.trim() === fence)) fence = fence === null ? mark : null;
    else if (fence === null && !isTable(line)) lines.push({ line: i + 1, text: line });
  }
  return lines;
}

/** Code, link targets and HTML say nothing about language. */
const plain = (text: string): string =>
  text
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/`[^`]*`/g, 'x')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/https?:\/\/\S+/g, 'x');

/** @returns the paragraphs, list items and headings of Markdown */
export function markdownProse(text: string): Prose[] {
  const found: Prose[] = [];
  let open: Prose | null = null;
  let lastLine = 0;
  for (const { line, text: words } of markdownLines(text)) {
    const isStart = /^\s*([-*+]|\d+\.)\s|^#|^\s*$|^>/.test(words) || line !== lastLine + 1;
    lastLine = line;
    const content = words.replace(/^\s*([-*+]|\d+\.)\s+|^#+\s*|^>\s?/, '').trim();
    if (isStart) open = null;
    if (content === '') continue;
    if (open) open.text += ` ${content}`;
    else found.push((open = { line, text: content, isHeading: words.startsWith('#') }));
    if (words.startsWith('#')) open = null;
  }
  return found.map((one) => ({ ...one, text: plain(one.text) }));
}

/** @returns a file's comments, each as it stands in the file */
export function commentsOf(name: string, text: string): { pos: number; end: number }[] {
  if (name.endsWith('.sql'))
    return [...text.matchAll(/--.*|\/\*[\s\S]*?\*\//g)].map(({ index, 0: all }) => ({
      pos: index,
      end: index + all.length,
    }));
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found = new Map<number, { pos: number; end: number }>();
  const look = (node: ts.Node): void => {
    for (const child of node.getChildren(source)) look(child);
    if (node.getChildCount(source) > 0) return;
    for (const ranges of [
      ts.getLeadingCommentRanges(text, node.getFullStart()),
      ts.getTrailingCommentRanges(text, node.getEnd()),
    ])
      for (const { pos, end } of ranges ?? []) found.set(pos, { pos, end });
  };
  look(source);
  return [...found.values()].sort((a, b) => a.pos - b.pos);
}

const testFunctions = new Set(['it', 'test', 'describe', 'each', 'only', 'skip']);

function testNames(name: string, text: string): Prose[] {
  if (!/\.(spec|e2e)\.ts$/.test(name)) return [];
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: Prose[] = [];
  const look = (node: ts.Node): void => {
    const [first] = ts.isCallExpression(node) ? node.arguments : [];
    if (first && ts.isStringLiteralLike(first) && ts.isCallExpression(node)) {
      const called = node.expression.getText(source).split(/\W/)[0]!;
      const { line } = source.getLineAndCharacterOfPosition(first.getStart(source));
      if (testFunctions.has(called)) found.push({ line: line + 1, text: `test: ${first.text}` });
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

/** @returns a source file's comments (those that follow each other as one) and its test names */
export function sourceProse(name: string, text: string): Prose[] {
  const lineOf = (pos: number): number => text.slice(0, pos).split('\n').length;
  const found: (Prose & { endLine: number; isLine: boolean })[] = [];
  for (const { pos, end } of commentsOf(name, text)) {
    const raw = text.slice(pos, end);
    if (raw.startsWith('#!') || /eslint-|@ts-|prettier-ignore|c8 ignore/.test(raw)) continue;
    const isLine = raw.startsWith('//') || raw.startsWith('--');
    const words = raw
      .replace(/^\/\*\*?|\*\/$/g, '')
      .split('\n')
      .map((one) => one.replace(/^\s*(\/\/+|--+|\*)? ?/, ''))
      .join('\n');
    const line = lineOf(pos);
    const last = found.at(-1);
    if (isLine && last?.isLine && last.endLine === line - 1) {
      last.text += `\n${words}`;
      last.endLine = line;
    } else found.push({ line, endLine: lineOf(end), isLine, text: words });
  }
  const comments = found.flatMap(({ line, text: words }) => {
    let offset = 0;
    // A tag, an empty line or a list item begins anew.
    return words.split(/\n(?=\s*@\w|\s*$|\s*[-*] )/).map((part) => {
      const prose = { line: line + offset, text: plain(part.replace(/^\s*@(param \S+|\w+)|^\s*[-*] /, '').trim()) };
      offset += part.split('\n').length;
      return prose;
    });
  });
  return [...comments.filter((one) => one.text !== ''), ...testNames(name, text)];
}

/** @returns the sentences of a text, without the white space between them */
export function sentencesOf(text: string): string[] {
  return text
    .replace(/\s+/g, ' ')
    .split(/(?<=[.!?]["”’)]*) (?=["“‘(]*[A-ZÀ-Ý\dx])|(?<=[:;]) (?=[A-Z][a-z])/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

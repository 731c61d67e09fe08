/**
 * Holds the language of documents, comments, test names and names (docs/glossary.md, CONTRIBUTING):
 * lines of at most 100 columns, sentences that begin with their subject, people who are "they",
 * sentences of at most 30 words, and one word for each idea.
 *
 * Words that the glossary replaces are counted per file, and `scripts/language/exceptions.json`
 * says how many each file may still have. `--update` writes fewer into it, never more.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import ts from 'typescript';
import { replacedWords, wordsOfName } from './language/glossary.js';
import { commentsOf, markdownLines, markdownProse, sentencesOf, sourceProse, type Prose } from './language/prose.js';

const maxColumns = 100;
const maxWords = 30;
const maxLongSentences = 20;
const exceptionsFile = 'scripts/language/exceptions.json';
const generated = /^(docs\/(errors|settings|redis-keys)\.md|docs\/protocol\.md|CHANGELOG\.md|scripts\/language\/)/;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((file) => /\.(md|ts|mts|mjs|sql)$/.test(file) && !generated.test(file));

const faults: string[] = [];
const long: string[] = [];
const counts: Record<string, number> = {};
const places: Record<string, string[]> = {};

function checkWidth(file: string, text: string): void {
  const lines = file.endsWith('.md')
    ? markdownLines(text)
    : commentsOf(file, text).flatMap(({ pos, end }) => {
        const first = text.slice(0, pos).split('\n').length;
        const start = text.lastIndexOf('\n', pos) + 1;
        return text
          .slice(start, end)
          .split('\n')
          .map((words, i) => ({ line: first + i, text: words }))
          .filter(({ text: words }) => /^\s*(\/\/|\/\*|\*|--)/.test(words));
      });
  for (const { line, text: words } of lines)
    if (words.length > maxColumns && !/https?:\/\/|\]\(|eslint-|^`[^`]+`,?$/.test(words))
      faults.push(`${file}:${line}: ${words.length} columns (at most ${maxColumns})`);
}

function checkSentence(file: string, line: number, sentence: string, isHeading = false): void {
  const shown = sentence.length > 90 ? `${sentence.slice(0, 87)}...` : sentence;
  const isTurned = /^(What|Who|Whom|Whoever|Whose|Of|There is nothing that)\b/.test(sentence);
  if (isTurned && !isHeading && !sentence.endsWith('?'))
    faults.push(`${file}:${line}: begins with its object, not its subject: ${shown}`);
  if (/\b(he|his|him|himself)\b/i.test(sentence)) faults.push(`${file}:${line}: people are "they": ${shown}`);
  if (file.startsWith('docs/') && sentence.split(' ').length > maxWords)
    long.push(`${file}:${line}: ${sentence.split(' ').length} words: ${shown}`);
}

function count(file: string, line: number, text: string): void {
  for (const [pattern, instead] of replacedWords) {
    const [word] = pattern.exec(text) ?? [];
    if (word === undefined) continue;
    counts[file] = (counts[file] ?? 0) + 1;
    (places[file] ??= []).push(`${file}:${line}: "${word}" (${instead})`);
  }
}

function countNames(file: string, text: string): void {
  if (!/\.(ts|mts|mjs)$/.test(file)) return;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const look = (node: ts.Node): void => {
    const { name } = node as { name?: ts.Node };
    if (name && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name)) && !ts.isImportSpecifier(node)) {
      const { line } = source.getLineAndCharacterOfPosition(name.getStart(source));
      if (!ts.isPropertyAccessExpression(node)) count(file, line + 1, wordsOfName(name.text));
    }
    ts.forEachChild(node, look);
  };
  look(source);
}

for (const file of files) {
  const text = readFileSync(file, 'utf8');
  checkWidth(file, text);
  const prose: Prose[] = file.endsWith('.md') ? markdownProse(text) : sourceProse(file, text);
  for (const { line, text: words, isHeading } of prose) {
    for (const sentence of sentencesOf(words.replace(/^test: /, ''))) checkSentence(file, line, sentence, isHeading);
    if (file !== 'docs/glossary.md') count(file, line, words);
  }
  countNames(file, text);
  count(file, 1, wordsOfName(basename(file)));
}

if (long.length > maxLongSentences)
  faults.push(...long, `${long.length} sentences of over ${maxWords} words in docs (at most ${maxLongSentences})`);

const allowed = JSON.parse(readFileSync(exceptionsFile, 'utf8')) as Record<string, number>;
if (process.argv.includes('--update')) {
  const fewer = Object.entries(counts)
    .map(([file, n]) => [file, Math.min(n, allowed[file] ?? 0)] as const)
    .filter(([, n]) => n > 0);
  writeFileSync(exceptionsFile, `${JSON.stringify(Object.fromEntries(fewer.sort()), null, 2)}\n`);
} else
  for (const [file, n] of Object.entries(counts))
    if (n > (allowed[file] ?? 0))
      faults.push(...places[file]!, `${file}: ${n} replaced words (at most ${allowed[file] ?? 0})`);

for (const fault of faults) console.error(fault);
const left = Object.values(counts).reduce((sum, n) => sum + n, 0);
console.log(
  `language: ${files.length} files, ${faults.length} faults, ${long.length} long sentences in docs, ${left} replaced words left`,
);
process.exitCode = files.length === 0 || faults.length > 0 ? 1 : 0;

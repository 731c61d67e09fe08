/**
 * Lets Node run this project's TypeScript as it stands: `node --import ./scripts/typescript.mjs
 * scripts/some.ts`.
 *
 * Node 20 has no way of its own, and Node 22's leaves out decorators. Types are not checked here
 * (`npm run check` does).
 */
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import ts from 'typescript';

// The loader thread runs this file again, for its hooks.
if (isMainThread) register(import.meta.url);

const projectFile = /^file:(?!.*\/node_modules\/).*\.ts$/;
const { config } = ts.readConfigFile(fileURLToPath(new URL('../tsconfig.json', import.meta.url)), ts.sys.readFile);
const oneFileAtATime = { module: 'esnext', moduleResolution: 'bundler', declaration: false, sourceMap: false };
const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, ...oneFileAtATime }, '.');

/** Takes `./file.js` for the `./file.ts` it was written for. */
export async function resolve(specifier, context, next) {
  const fromTypeScript = specifier.startsWith('.') && projectFile.test(context.parentURL ?? '');
  if (!fromTypeScript || !specifier.endsWith('.js')) return next(specifier, context);
  return next(specifier.replace(/\.js$/, '.ts'), context).catch(() => next(specifier, context));
}

/** Takes the types out. */
export async function load(url, context, next) {
  if (!projectFile.test(url)) return next(url, context);
  const fileName = fileURLToPath(url);
  const { outputText } = ts.transpileModule(await readFile(fileName, 'utf8'), { fileName, compilerOptions: options });
  return { format: 'module', source: outputText, shortCircuit: true };
}

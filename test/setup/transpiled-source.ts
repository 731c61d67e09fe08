import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'src');
// Inside the project, where Node finds its packages and reads that they are ES modules.
const target = join(root, '.cache', 'test-source');

function outputOf(file: string): string {
  return join(target, file.replace(/\.ts$/, '.js'));
}

async function filesOf(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

async function isStale(file: string): Promise<boolean> {
  const { mtimeMs } = await stat(join(source, file));
  return stat(outputOf(file)).then(
    (output) => output.mtimeMs <= mtimeMs,
    () => true,
  );
}

async function transpiler(): Promise<(text: string, fileName: string) => string> {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // A file alone does not say which kind of module it is; ours are all ES modules.
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, sourceMap: false, inlineSourceMap: true };
  return (text, fileName) => ts.transpileModule(text, { compilerOptions, fileName }).outputText;
}

async function write(file: string, transpile: (text: string, fileName: string) => string): Promise<void> {
  const output = outputOf(file);
  const half = `${output}.${process.pid}`;
  await mkdir(dirname(output), { recursive: true });
  if (file.endsWith('.ts')) await writeFile(half, transpile(await readFile(join(source, file), 'utf8'), file));
  else await copyFile(join(source, file), half);
  await rename(half, output);
}

/**
 * Compiles `src/` without checking types, for tests that start and kill processes of their own.
 * Only what has changed since the last run is compiled.
 *
 * @returns the directory with `main.js`
 */
export async function transpileSource(): Promise<string> {
  const files = (await filesOf(source)).filter((file) => !file.endsWith('.spec.ts'));
  const stale: string[] = [];
  for (const file of files) if (await isStale(file)) stale.push(file);
  const transpile = stale.length > 0 ? await transpiler() : String;
  for (const file of stale) await write(file, transpile);
  const wanted = new Set(files.map(outputOf));
  const gone = (await filesOf(target)).map((file) => join(target, file)).filter((file) => !wanted.has(file));
  await Promise.all(gone.map((file) => rm(file, { force: true })));
  // Beside the source, as in the project: the code reads its version from it.
  await copyFile(join(root, 'package.json'), join(target, '..', 'package.json'));
  return target;
}

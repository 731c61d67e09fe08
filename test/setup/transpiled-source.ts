import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');

async function compilerOptions(): Promise<ts.CompilerOptions> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return { ...options, sourceMap: false, inlineSourceMap: true, declaration: false };
}

async function transpile(from: string, to: string, compilerOptions: ts.CompilerOptions): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (!from.endsWith('.ts')) return copyFile(from, to);
  const text = await readFile(from, 'utf8');
  const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: from });
  await writeFile(to.replace(/\.ts$/, '.js'), outputText);
}

/**
 * Compiles `src/` without checking types, for tests that start, kill and restart processes of their own. It lies inside
 * the project, where Node finds its packages.
 */
export async function transpileSource(): Promise<{ dir: string; remove(): Promise<void> }> {
  await mkdir(join(root, '.cache'), { recursive: true });
  const run = await mkdtemp(join(root, '.cache', 'test-'));
  const dir = join(run, 'dist');
  const options = await compilerOptions();
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('.spec.ts')) continue;
    const from = join(entry.parentPath, entry.name);
    await transpile(from, join(dir, relative(join(root, 'src'), from)), options);
  }
  return { dir, remove: () => rm(run, { recursive: true, force: true }) };
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A Lua script beside its one caller. Run it by `RedisCommands.run`. */
export interface LuaScript {
  /** File name without the extension; for logs. */
  readonly name: string;
  readonly source: string;
  /** SHA-1, by which Redis knows the script. */
  readonly sha: string;
}

/**
 * Reads a script, once, when the module that needs it is loaded.
 *
 * @param moduleUrl `import.meta.url` of the caller: works from the source and from the build alike
 * @param path relative to the caller, `./acquire-lease.lua`
 * @throws Error when there is no such file
 */
export function loadLua(moduleUrl: string, path: string): LuaScript {
  const source = readFileSync(new URL(path, moduleUrl), 'utf8');
  const name = path.replace(/^.*\//, '').replace(/\.lua$/, '');
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}

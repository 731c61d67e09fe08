import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A storage for `parley/client` in one JSON file: what is unsent survives the end of the program.
 */
export class FileStorage {
  #path;
  #items;

  constructor(path) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    try {
      this.#items = new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8'))));
    } catch {
      this.#items = new Map();
    }
  }

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, value);
    this.#write();
  }

  removeItem(key) {
    this.#items.delete(key);
    this.#write();
  }

  /** Under another name first: a program that is killed in between leaves the file as it was. */
  #write() {
    writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#items)));
    renameSync(`${this.#path}.new`, this.#path);
  }
}

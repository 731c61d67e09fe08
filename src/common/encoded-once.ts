/**
 * A wire object with several recipients, which is encoded once. It must not change after its first
 * encoding.
 *
 * `JSON.stringify` gives the same text. The ack encoder and the packet writer, which write text
 * anyway, read {@link json}.
 */
export abstract class EncodedOnce {
  #json: string | null = null;

  get json(): string {
    return (this.#json ??= this.encode());
  }

  /** The same text as `JSON.stringify`. A class overrides it if it has a faster way. */
  protected encode(): string {
    return JSON.stringify(this);
  }
}

/** `JSON.stringify` of a plain object. Encoded members are inserted as they are. */
export function encodeParts(object: object): string {
  let json = '';
  for (const name of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[name];
    const part = value instanceof EncodedOnce ? value.json : JSON.stringify(value);
    // As in JSON.stringify: a value without JSON is left out.
    if (part !== undefined) json += `${json === '' ? '{' : ','}${JSON.stringify(name)}:${part}`;
  }
  return json === '' ? '{}' : `${json}}`;
}

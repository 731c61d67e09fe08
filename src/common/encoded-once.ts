/**
 * An object of the wire that goes to several places and is encoded once. Must not change after it
 * was first encoded.
 *
 * `JSON.stringify` gives the same; who writes text anyway (the encoder of acks, the packet writer)
 * asks for {@link json}.
 */
export abstract class EncodedOnce {
  #json: string | null = null;

  get json(): string {
    return (this.#json ??= this.encode());
  }

  /** What `JSON.stringify` would say; for a class that can say it faster. */
  protected encode(): string {
    return JSON.stringify(this);
  }
}

/** `JSON.stringify` of a plain object, with what is encoded already put in as it is. */
export function encodeParts(object: object): string {
  let json = '';
  for (const name of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[name];
    const part = value instanceof EncodedOnce ? value.json : JSON.stringify(value);
    // As in JSON.stringify: what has no JSON is left out.
    if (part !== undefined) json += `${json === '' ? '{' : ','}${JSON.stringify(name)}:${part}`;
  }
  return json === '' ? '{}' : `${json}}`;
}

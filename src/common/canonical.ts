/** Makes one spelling of several that mean the same; what it does not know it leaves as it is. */
type Canonical = (value: string) => string;

const canonicalMetadata = 'parley:canonical';
const known = new WeakMap<object, [name: string, canonical: Canonical][]>();

/**
 * Property decorator: a text, or each text of a list, is brought into its canonical spelling before
 * the rules of the DTO look at it.
 */
export function Spelled(canonical: Canonical): PropertyDecorator {
  return (target, property) => {
    const inherited = (Reflect.getMetadata(canonicalMetadata, target) as [string, Canonical][] | undefined) ?? [];
    Reflect.defineMetadata(canonicalMetadata, [...inherited, [String(property), canonical]], target);
  };
}

/** Brings the properties of a DTO into their canonical spelling. */
export function spellCanonically(dtoClass: object, dto: Record<string, unknown>): void {
  for (const [name, canonical] of spellingsOf(dtoClass)) {
    const value = dto[name];
    if (typeof value === 'string') dto[name] = canonical(value);
    else if (Array.isArray(value))
      dto[name] = value.map((one: unknown) => (typeof one === 'string' ? canonical(one) : one));
  }
}

function spellingsOf(dtoClass: object): [string, Canonical][] {
  let spellings = known.get(dtoClass);
  if (!spellings) {
    const prototype = (dtoClass as { prototype: object }).prototype;
    spellings = (Reflect.getMetadata(canonicalMetadata, prototype) as [string, Canonical][] | undefined) ?? [];
    known.set(dtoClass, spellings);
  }
  return spellings;
}

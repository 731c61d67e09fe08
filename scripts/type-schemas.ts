/**
 * JSON Schema from the types and validation decorators of the code, read by the compiler: nothing
 * is declared twice.
 */
import ts from 'typescript';

export type Schema = Record<string, unknown>;

/** One event a gateway takes. */
export interface GatewayEventTypes {
  event: string;
  gateway: string;
  summary: string;
  /** Null: no payload. */
  request: ts.Type | null;
  answer: ts.Type;
}

// Limits that only keep hostile payloads away; the settings decide.
const leastFormalLimit = 1_000;

const rules: Record<string, (args: unknown[]) => Schema> = {
  Length: ([minLength, maxLength]) => ({ minLength, maxLength }),
  MaxLength: ([maxLength]) => ({ maxLength }),
  IsNotEmpty: () => ({ minLength: 1 }),
  Min: ([minimum]) => ({ minimum }),
  Max: ([maximum]) => (Number(maximum) >= Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  ArrayMinSize: ([minItems]) => ({ minItems }),
  ArrayMaxSize: ([maxItems]) => (Number(maxItems) >= leastFormalLimit ? {} : { maxItems }),
  IsId: () => ({ format: 'uuid' }),
  IsUserId: () => ({ minLength: 1, maxLength: 128 }),
};

/** Reads a program once; types that have a name become components. */
export class TypeSchemas {
  readonly components: Record<string, Schema> = {};
  private readonly checker: ts.TypeChecker;
  private readonly program: ts.Program;

  constructor(files: string[]) {
    const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as { config: object };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
    this.program = ts.createProgram(files, { ...options, noEmit: true });
    this.checker = this.program.getTypeChecker();
  }

  /** The properties of an exported interface, with their comments. */
  members(file: string, name: string): { name: string; type: ts.Type; comment: string }[] {
    const source = this.program.getSourceFile(file)!;
    const symbol = this.checker
      .getExportsOfModule(this.checker.getSymbolAtLocation(source)!)
      .find((one) => one.name === name)!;
    return this.membersOf(this.checker.getDeclaredTypeOfSymbol(symbol));
  }

  membersOf(type: ts.Type): { name: string; type: ts.Type; comment: string }[] {
    return this.checker
      .getPropertiesOfType(type)
      .map((one) => ({ name: one.name, type: this.checker.getTypeOfSymbol(one), comment: this.comment(one) }));
  }

  /** Every method with `@SubscribeMessage` of the files that are gateways. */
  gatewayEvents(): GatewayEventTypes[] {
    const sources = this.program
      .getSourceFiles()
      .filter(({ fileName }) => /(^|\/)src\/.*\.gateway\.ts$/.test(fileName));
    return sources
      .flatMap(({ statements }) => statements.filter(ts.isClassDeclaration))
      .flatMap((gateway) =>
        gateway.members.filter(ts.isMethodDeclaration).map((method) => this.gatewayEvent(gateway, method)),
      )
      .filter((one) => one !== null);
  }

  /**
   * @param structure true: only what a value must look like, everything in place, for comparisons
   */
  schemaOf(type: ts.Type, structure = false): Schema {
    const name = this.nameOf(type);
    if (structure || name === null) return this.inline(type, structure);
    if (!(name in this.components)) {
      // Before the work, for types that contain themselves.
      this.components[name] = {};
      Object.assign(this.components[name], this.inline(type, false));
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  private gatewayEvent(gateway: ts.ClassDeclaration, method: ts.MethodDeclaration): GatewayEventTypes | null {
    const subscription = decoratorsOf(method).find(({ name }) => name === 'SubscribeMessage');
    if (!subscription) return null;
    const body = method.parameters.find((one) => decoratorsOf(one).some(({ name }) => name === 'MessageBody'));
    const signature = this.checker.getSignatureFromDeclaration(method)!;
    const ack = this.checker.getAwaitedType(this.checker.getReturnTypeOfSignature(signature))!;
    const [answer] = ack.aliasTypeArguments ?? [];
    const event = this.valueOf(subscription.args[0]!) as string;
    if (!answer) throw new Error(`${event}: its handler does not answer with an Ack`);
    const request = body ? this.checker.getTypeAtLocation(body) : null;
    const name = gateway.name!.text;
    return {
      event,
      gateway: name,
      summary: this.comment(this.checker.getSymbolAtLocation(gateway.name!)!),
      request,
      answer,
    };
  }

  private inline(type: ts.Type, structure: boolean): Schema {
    const { flags } = type;
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (type.isUnion()) return this.union(type.types, structure);
    if (type.isStringLiteral()) return { type: 'string', enum: [type.value] };
    if (flags & ts.TypeFlags.BooleanLiteral)
      return { type: 'boolean', enum: [this.checker.typeToString(type) === 'true'] };
    if (flags & ts.TypeFlags.StringLike) return { type: 'string' };
    // Every number on this wire is whole.
    if (flags & ts.TypeFlags.NumberLike) return { type: 'integer' };
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return {};
    if (this.checker.isArrayType(type)) {
      return {
        type: 'array',
        items: this.schemaOf(this.checker.getTypeArguments(type as ts.TypeReference)[0]!, structure),
      };
    }
    return this.object(type, structure);
  }

  private union(types: ts.Type[], structure: boolean): Schema {
    const real = types.filter(({ flags }) => !(flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)));
    const literals = real.filter((one) => one.isStringLiteral()).map(({ value }) => value);
    const booleans = real.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral);
    const others = real.filter((one) => !one.isStringLiteral() && !(one.flags & ts.TypeFlags.BooleanLiteral));
    const parts = [
      ...(literals.length > 0 ? [{ type: 'string', enum: literals.sort() }] : []),
      ...(booleans.length === 2 ? [{ type: 'boolean' }] : booleans.map((one) => this.inline(one, structure))),
      ...others.map((one) => this.schemaOf(one, structure)),
    ];
    if (structure) parts.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    return parts.length === 1 ? parts[0]! : (nullable(parts) ?? { oneOf: parts });
  }

  private object(type: ts.Type, structure: boolean): Schema {
    const index = this.checker.getIndexInfoOfType(type, ts.IndexKind.String);
    if (index) {
      const isEmpty = Boolean(index.type.flags & ts.TypeFlags.Never);
      return { type: 'object', additionalProperties: isEmpty ? false : this.schemaOf(index.type, structure) };
    }
    const properties = this.checker
      .getPropertiesOfType(type)
      .sort((a, b) => (structure ? a.name.localeCompare(b.name) : 0));
    const required = properties.filter(({ flags }) => !(flags & ts.SymbolFlags.Optional)).map(({ name }) => name);
    return {
      type: 'object',
      ...(properties.length === 0
        ? {}
        : { properties: Object.fromEntries(properties.map((one) => [one.name, this.property(one, structure)])) }),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    };
  }

  private property(symbol: ts.Symbol, structure: boolean): Schema {
    const schema = this.schemaOf(this.checker.getTypeOfSymbol(symbol), structure);
    if (structure) return schema;
    const comment = this.comment(symbol);
    const ruled = this.ruled(symbol, schema);
    const format = formatOf(symbol.name);
    return {
      ...ruled,
      ...(format && isOf(ruled, 'string') ? { format } : {}),
      ...(comment === '' ? {} : { description: comment }),
    };
  }

  /** With what the validation decorators demand. */
  private ruled(symbol: ts.Symbol, schema: Schema): Schema {
    const declaration = symbol.valueDeclaration;
    if (!declaration || !ts.isPropertyDeclaration(declaration)) return schema;
    const found = decoratorsOf(declaration).map(({ name, args }) => ({
      schema: rules[name]?.(args.map((one) => this.valueOf(one))) ?? {},
      isOfItems: /each: true/.test(args.at(-1)?.getText() ?? ''),
    }));
    const own = merged(found.filter((one) => !one.isOfItems));
    const ofItems = merged(found.filter((one) => one.isOfItems));
    const constrain = (part: Schema): Schema => {
      if (part['type'] === 'null') return part;
      return isOf(part, 'array')
        ? { ...part, ...own, items: { ...(part['items'] as Schema), ...ofItems } }
        : { ...part, ...own };
    };
    const { oneOf } = schema as { oneOf?: Schema[] };
    return oneOf ? { oneOf: oneOf.map(constrain) } : constrain(schema);
  }

  private valueOf(node: ts.Expression): unknown {
    const type = this.checker.getTypeAtLocation(node);
    return type.isLiteral() ? type.value : undefined;
  }

  /** The property a bare string or array stands for, from `@Bare('…')`. */
  bareProperty(type: ts.Type): string | null {
    const declaration = type.symbol.declarations?.[0];
    if (!declaration || !ts.isClassDeclaration(declaration)) return null;
    const bare = decoratorsOf(declaration).find(({ name }) => name === 'Bare');
    return bare ? (this.valueOf(bare.args[0]!) as string) : null;
  }

  private comment(symbol: ts.Symbol): string {
    return ts
      .displayPartsToString(symbol.getDocumentationComment(this.checker))
      .split('\n\n')[0]!
      .replaceAll('\n', ' ');
  }

  private nameOf(type: ts.Type): string | null {
    const symbol = type.aliasSymbol ?? (type.isClassOrInterface() ? type.symbol : undefined);
    const isOurs = symbol?.declarations?.some((one) => !one.getSourceFile().fileName.includes('/node_modules/'));
    return symbol && isOurs && !type.aliasTypeArguments ? symbol.name.replace(/Dto$/, 'Request') : null;
  }
}

function decoratorsOf(node: ts.HasDecorators): { name: string; args: readonly ts.Expression[] }[] {
  return (ts.getDecorators(node) ?? []).flatMap(({ expression }) =>
    ts.isCallExpression(expression) ? [{ name: expression.expression.getText(), args: expression.arguments }] : [],
  );
}

/** A plain type or null in the short form of JSON Schema. */
function nullable(parts: Schema[]): Schema | null {
  const other = parts.find(({ type }) => type !== 'null');
  if (parts.length !== 2 || !parts.some(({ type }) => type === 'null') || typeof other?.['type'] !== 'string')
    return null;
  const { type, enum: values } = other as { type: string; enum?: unknown[] };
  return { ...other, type: [type, 'null'], ...(values ? { enum: [...values, null] } : {}) };
}

function merged(parts: { schema: Schema }[]): Schema {
  return parts.reduce<Schema>((all, { schema }) => ({ ...all, ...schema }), {});
}

function isOf(schema: Schema, type: string): boolean {
  return [schema['type']].flat().includes(type);
}

function formatOf(name: string): string | null {
  if (/(At|^at|Time)$/.test(name)) return 'date-time';
  return /^(id|conversationId|messageId|replyTo)$/.test(name) ? 'uuid' : null;
}

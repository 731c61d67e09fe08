/**
 * Reads `docs/protocol.md`: the events, routes and error codes that the contract names, those it
 * marks as not built yet, and the anchors that other files may cite.
 */

/** The names of one kind (events, routes, codes) in a document or in the code. */
export interface WireNames {
  events: Set<string>;
  routes: Set<string>;
  codes: Set<string>;
}

export interface Contract {
  named: WireNames;
  /** A part of {@link named}: the table "Not built yet". */
  notBuilt: WireNames;
  anchors: Set<string>;
}

const method = /^(GET|POST|PUT|PATCH|DELETE)(?:,? (\/v1[^\s?]*)\S*)?$/;

/** @returns the text between two headings of second level; the second may be left out */
function section(text: string, heading: string): string {
  const start = text.search(new RegExp(`^## ${heading}`, 'm'));
  if (start < 0) throw new Error(`docs/protocol.md: there is no section "${heading}"`);
  const end = text.indexOf('\n## ', start + 1);
  return text.slice(start, end < 0 ? undefined : end);
}

function codeSpans(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replace(/\s+/g, ' '));
}

/** A route as both documents can write it: `GET /v1/users/:`. */
export function routeName(verb: string, path: string): string {
  return `${verb.toUpperCase()} ${path.replace(/:[A-Za-z]+|\{[^}]+\}/g, ':')}`;
}

const betweenVerbs = /^,?\s*(?:and\s+)?$/;

/** Reads `GET`, `PATCH /v1/me` as two routes of one path. */
function routesIn(text: string): Set<string> {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  const routes = new Set<string>();
  let verbs: string[] = [];
  let end = 0;
  for (const { 0: quoted, 1: span, index } of prose.matchAll(/`([^`]+)`/g)) {
    const [, verb, path] = method.exec(span!.replace(/\s+/g, ' ')) ?? [];
    if (!betweenVerbs.test(prose.slice(end, index))) verbs = [];
    end = index + quoted.length;
    if (!verb) continue;
    verbs.push(verb);
    if (!path) continue;
    for (const each of verbs) routes.add(routeName(each, path));
    verbs = [];
  }
  return routes;
}

function firstCells(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, line.indexOf(' | ')));
}

function spansOfFirstCells(text: string, shape: RegExp): string[] {
  return firstCells(text)
    .flatMap(codeSpans)
    .filter((span) => shape.test(span));
}

const eventShape = /^[a-z]+(-[a-z]+)*$/;
const codeShape = /^[A-Z]+(_[A-Z]+)*$/;

function anchorsIn(text: string): Set<string> {
  const explicit = [...text.matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id]) => id!);
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...explicit, ...headings]);
}

export function readContract(text: string): Contract {
  const notBuilt = section(text, 'Not built yet');
  const rest = text.replace(notBuilt, '');
  const eventTables = ['4\\.', '5\\.', '14\\.'].map((heading) => section(rest, heading));
  const spans = codeSpans(notBuilt);
  return {
    named: {
      events: new Set(eventTables.flatMap((table) => spansOfFirstCells(table, eventShape))),
      routes: routesIn(rest),
      codes: new Set(spansOfFirstCells(section(rest, '2\\.'), codeShape)),
    },
    notBuilt: {
      events: new Set(spans.filter((span) => eventShape.test(span))),
      routes: routesIn(notBuilt),
      codes: new Set(spans.filter((span) => codeShape.test(span))),
    },
    anchors: anchorsIn(text),
  };
}

/** @returns one line for each name that the contract and the code do not agree on */
export function contractFaults({ named, notBuilt }: Contract, code: WireNames): string[] {
  const faults: string[] = [];
  for (const kind of ['events', 'routes', 'codes'] as const) {
    const missing = [...named[kind]].filter((name) => !code[kind].has(name) && !notBuilt[kind].has(name));
    const undocumented = [...code[kind]].filter((name) => !named[kind].has(name));
    const built = [...notBuilt[kind]].filter((name) => code[kind].has(name));
    const unknown = [...notBuilt[kind]].filter((name) => !named[kind].has(name));
    faults.push(
      ...missing.map((name) => `docs/protocol.md: the code has no ${name}, and "Not built yet" does not name it`),
      ...undocumented.map((name) => `docs/protocol.md: ${name} exists in the code only`),
      ...built.map((name) => `docs/protocol.md: ${name} is built; remove it from "Not built yet"`),
      ...unknown.map((name) => `docs/protocol.md: "Not built yet" names ${name}, the contract does not`),
    );
  }
  return faults;
}

const citation = /docs\/protocol\.md#([a-z0-9-]+)|\]\((?:\.\.\/)*(?:docs\/)?protocol\.md#([a-z0-9-]+)\)/g;

/** @returns one line for each citation of an anchor that does not exist */
export function citationFaults(file: string, text: string, anchors: Set<string>): string[] {
  const cited = [...text.matchAll(citation)].map(([, inCode, inLink]) => (inCode ?? inLink)!);
  return cited
    .filter((anchor) => !anchors.has(anchor))
    .map((anchor) => `${file}: cites docs/protocol.md#${anchor}, an anchor that does not exist`);
}

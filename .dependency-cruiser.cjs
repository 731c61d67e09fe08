/**
 * What may import what (docs/architecture.md). `scripts/check-imports.ts` runs this and counts the modules it read.
 *
 * The rules speak of what is left at run time; imports of types alone are free, except where a rule says so.
 */

// Each folder may import itself and what is listed. What is not listed is refused.
const leaves = ['common'];
const settings = [...leaves, 'config'];
const recording = [...settings, 'metrics'];
const database = [...recording, 'database'];
const redis = [...recording, 'redis'];
const auth = [...recording, 'database', 'redis', 'auth'];
const edge = [...auth, 'realtime'];
const conversations = [...edge, 'conversations'];
const users = [...edge, 'users'];
const features = [...edge, 'conversations', 'users'];

const allowed = {
  common: leaves,
  config: settings,
  metrics: recording,
  database,
  redis,
  auth,
  realtime: edge,
  conversations: [...conversations, 'users'],
  users: [...users, 'conversations'],
  messaging: [...features, 'messaging'],
  delivery: [...features, 'delivery'],
  // Ephemeral: what may be lost never touches Postgres.
  presence: [...features.filter((folder) => folder !== 'database'), 'presence'],
  typing: [...features.filter((folder) => folder !== 'database'), 'typing'],
  'open-files': ['open-files'],
  ops: [...edge, 'ops', 'open-files'],
  embedded: [...settings, 'embedded'],
  cluster: ['cluster'],
};
// What the client SDK knows of the server: types, from files that import nothing but each other.
const wireTypes = '^src/common/(wire|wire-events|chat-error|error-codes)\\.ts$';

const source = '^src/';
const tests = '\\.(spec|contract)\\.ts$';
const any = (folders) => `^src/(${folders.join('|')})/`;
const runtime = { dependencyTypesNot: ['type-only'] };

const layers = Object.entries(allowed).map(([folder, folders]) => ({
  name: `layer-${folder}`,
  comment: `${folder} may import: ${folders.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: tests },
  to: { path: source, pathNot: any(folders), ...runtime },
}));

/** A library, and the only folders and files that may load it. */
const onlyIn = (name, library, pathNot) => ({
  name: `${name}-only-where-it-belongs`,
  severity: 'error',
  from: { path: source, pathNot: `${pathNot}|${tests}` },
  to: { path: `^node_modules/${library}/`, ...runtime },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: runtime } },
    // Examples import the package by its name, which leads to the build.
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^parley/client$' } },
    {
      name: 'no-undeclared-packages',
      comment: 'A package that package.json does not name may be gone after the next install',
      severity: 'error',
      from: { path: source },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'no-development-packages-in-production',
      severity: 'error',
      from: { path: source, pathNot: `${tests}|^src/testing/` },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
        pathNot: '^node_modules/@types/',
      },
    },
    ...layers,
    {
      name: 'cross-a-folder-through-its-index',
      severity: 'error',
      // The client's one way out is `layer-client`'s.
      from: { path: '^src/([^/]+)/', pathNot: '^src/client/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', '\\.contract\\.ts$'] },
    },
    {
      name: 'cross-a-folder-through-its-index-from-above',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$|^examples/' },
      to: { path: '^src/[^/]+/', pathNot: '^src/[^/]+/index\\.ts$' },
    },
    {
      name: 'messaging-is-nobodys-foundation',
      comment: 'Presence, typing and delivery can each be deleted and the rest compiles; so can messaging',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(messaging|testing)/|${tests}` },
      to: { path: '^src/messaging/' },
    },
    {
      name: 'ephemeral-never-touches-postgres',
      severity: 'error',
      from: { path: '^src/(presence|typing)/', pathNot: tests },
      to: { path: '^src/(database|messaging)/|^node_modules/(pg|typeorm)/' },
    },
    {
      name: 'doors-have-no-stores',
      comment: 'A gateway or controller calls a service',
      severity: 'error',
      from: { path: '\\.(gateway|controller)\\.ts$' },
      to: { path: '\\.(repository|store|entity)\\.ts$' },
    },
    {
      name: 'layer-client',
      comment: 'The types of the wire, also for a look at types: the published declarations stand alone',
      severity: 'error',
      from: { path: '^src/client/', pathNot: tests },
      to: { path: source, pathNot: `^src/client/|${wireTypes}` },
    },
    {
      name: 'client-takes-types-only',
      severity: 'error',
      from: { path: '^src/client/', pathNot: tests },
      to: { path: '^src/', pathNot: '^src/client/', ...runtime },
    },
    {
      name: 'client-knows-no-server',
      comment: 'It runs in browsers, on socket.io-client alone',
      severity: 'error',
      from: { path: '^src/client/', pathNot: tests },
      to: { path: '^node_modules/', pathNot: '^node_modules/socket\\.io-client/' },
    },
    {
      name: 'client-runs-in-browsers',
      severity: 'error',
      from: { path: '^src/client/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'embedded-only-for-the-reference-server',
      severity: 'error',
      from: { path: source, pathNot: `^src/(services|announcement)\\.ts$|^src/(embedded|testing)/|${tests}` },
      to: { path: '^src/embedded/' },
    },
    {
      name: 'nothing-imports-the-top',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/testing/|${tests}` },
      to: { path: '^src/[^/]+\\.ts$', ...runtime },
    },
    onlyIn('socket-io', 'socket\\.io(-parser|-adapter)?', '^src/realtime/'),
    onlyIn('socket-io-client', 'socket\\.io-client', '^src/client/'),
    onlyIn('socket-io-redis-adapter', '@socket\\.io', '^src/(realtime|redis)/'),
    onlyIn('ioredis', 'ioredis', '^src/redis/'),
    onlyIn('typeorm', '(typeorm|@nestjs/typeorm)', '^src/database/|\\.(repository|entity|module)\\.ts$'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};

/**
 * Who may import whom. The rooms and the reasons are in README.md; test/house/imports.test.ts runs this over every file,
 * plants one violation of each rule, and fails when fewer modules were seen than files exist.
 *
 * parser: swc, because TypeScript 7 has no compiler API for dependency-cruiser to use: without a parser that it knows it
 * sees no modules at all and is content.
 */
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const anyPackage = '(^|/)node_modules/';

const forbidden = [
  {
    name: 'core-is-pure',
    comment: 'core imports core, the schema library, a Temporal polyfill, node:crypto and node:zlib; nothing else.',
    from: { path: '^core/' },
    to: { pathNot: ['^core/', packages('zod', 'temporal-polyfill'), '^(node:)?(crypto|zlib)$'] },
  },
  {
    name: 'adapters-know-only-core',
    comment: 'An adapter implements a port of core. It knows no handler, no stack and no local part.',
    from: { path: '^adapters/' },
    to: { path: '^(bin|lib|lambdas|local|bench|test|sdk|dashboard)/' },
  },
  {
    name: 'lambdas-reach-adapters-through-wire',
    comment:
      'Handlers get their dependencies from lambdas/shared/wire; nothing else there builds an adapter or a client.',
    from: { path: '^lambdas/', pathNot: '^lambdas/shared/wire' },
    to: { path: ['^adapters/', packages('@aws-sdk', '@smithy', 'stripe')] },
  },
  {
    name: 'lambdas-know-no-stack',
    from: { path: '^lambdas/' },
    to: { path: ['^(bin|lib|local|bench|test|sdk|dashboard)/', packages('aws-cdk-lib', 'constructs')] },
  },
  {
    name: 'a-function-keeps-to-its-own-file',
    comment: 'One file is one function: what two of them need belongs to core or to lambdas/shared.',
    from: { path: '^lambdas/(ingest|usage|billing|webhooks)/([^/]+)\\.ts$' },
    to: { path: '^lambdas/(ingest|usage|billing|webhooks|api)/', pathNot: '^lambdas/$1/$2\\.ts$' },
  },
  {
    name: 'the-api-keeps-to-its-folder',
    from: { path: '^lambdas/api/' },
    to: { path: '^lambdas/(ingest|usage|billing|webhooks)/' },
  },
  {
    name: 'shared-knows-no-function',
    from: { path: '^lambdas/shared/' },
    to: { path: '^lambdas/(ingest|usage|billing|webhooks|api)/' },
  },
  {
    name: 'lib-wires-and-never-computes',
    comment: 'Stacks import CDK; of ours, only types of the environment contract and of the metric names.',
    from: { path: '^(lib|bin)/' },
    to: { path: '^(core|adapters|lambdas|local|bench|test|sdk|dashboard)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'lib-takes-only-contract-types',
    from: { path: '^(lib|bin)/' },
    to: {
      path: '^(core|adapters|lambdas|local|bench|test|sdk|dashboard)/',
      pathNot: '^lambdas/shared/(env|metric-names)\\.ts$',
    },
  },
  {
    name: 'lib-uses-cdk-only',
    from: { path: '^(lib|bin)/' },
    to: { path: anyPackage, pathNot: packages('aws-cdk-lib', 'constructs', 'cdk-nag', 'esbuild') },
  },
  {
    name: 'one-nodejs-function',
    comment: 'lib/constructs/house-function.ts is the only function of this house.',
    from: { path: '^(lib|bin)/', pathNot: '^lib/constructs/house-function\\.ts$' },
    to: { path: 'aws-cdk-lib/aws-lambda-nodejs/' },
  },
  {
    name: 'local-reads-templates-not-stacks',
    comment: 'The local stack learns what to build from cdk.out, so that a wrong template is wrong locally too.',
    from: { path: '^local/' },
    to: { path: '^(bin|lib|test)/' },
  },
  { name: 'sdk-stands-alone', from: { path: '^sdk/' }, to: { pathNot: '^sdk/' } },
  {
    name: 'dashboard-speaks-through-sdk',
    from: { path: '^dashboard/' },
    to: { path: '^(bin|lib|lambdas|core|adapters|local|bench|test)/' },
  },
  { name: 'bench-is-not-imported', from: { pathNot: '^(bench|test)/' }, to: { path: '^(bench|test)/' } },
  {
    name: 'no-circles',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  { name: 'everything-resolves', from: {}, to: { couldNotResolve: true } },
].map((rule) => ({ severity: 'error', ...rule }));

module.exports = {
  forbidden,
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

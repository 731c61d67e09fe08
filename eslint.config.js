import tseslint from 'typescript-eslint';

/** What the compiler does not see. Layout is Prettier's, layering dependency-cruiser's. */
export default tseslint.config(
  { ignores: ['dist/', '.cache/', '.data/', 'coverage/', 'docs/'] },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      // Objects of functions are passed around here, and a DI token is a class and an interface of one name.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-declaration-merging': 'off',
      'no-control-regex': 'error',
      'no-warning-comments': ['error', { terms: ['fixme', 'xxx', 'hack'] }],
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
      complexity: ['warn', 15],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Its fix turns the imports of injected classes into type imports, which breaks injection in silence.
      '@typescript-eslint/consistent-type-imports': 'off',
      // An async method may fulfil a contract without waiting for anything.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // Assertions on answers and acks whose type is what is being tested.
    files: ['**/*.spec.ts', '**/*.e2e.ts', '**/*.contract.ts', 'test/**/*.ts'],
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Programs that speak to a terminal.
    files: ['scripts/**', 'examples/**', 'test/**', '**/*.cli.ts'],
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.{js,mjs,cjs}'], extends: [tseslint.configs.disableTypeChecked] },
);

// @ts-check
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The zones of src/ by the process that runs them, and for each the others from which it may import. No zone that runs in
 * one process reaches into that of another: what they share is data (contract) or has no rights of its own (shared).
 */
const zones = {
  contract: [],
  shared: ['contract'],
  admission: ['contract', 'shared'],
  runner: ['contract', 'shared'],
  client: ['contract'],
  guest: [],
  runtime: ['contract', 'shared'],
  testing: ['contract', 'shared', 'runtime'],
  commands: ['contract', 'shared', 'client', 'runtime', 'testing'],
};

/** Within a zone imports point one way too: a folder may import from those before it, never from later ones. */
const folders = {
  admission: ['wasm', 'fuel', 'translation'],
  runtime: [
    'files',
    'libvirt',
    'config',
    'isolation',
    'plugins',
    'supervision',
    'scripts',
    'dispatch',
    'journal',
    'listener',
  ],
};

/** What the tools of authors and tests load, and no program of the runtime. */
const neverLoaded = ['binaryen', '@bytecodealliance/jco-transpile'];

/**
 * What the hook client may import: it stands alone and starts at every event, so it takes nothing from a package, and of
 * the contract only modules that do the same.
 */
const clientImports = ['error-code', 'errors', 'framing', 'hook-frames', 'limits', 'unreachable-policy'];

/** @param {string[]} closed */
const closedFolders = (closed) => ({
  group: closed.map((folder) => `**/${folder}/**`),
  message: 'another zone, or a folder above this one: see zones and folders in eslint.config.js',
});

/**
 * @param {string[]} closed
 * @returns {import('eslint').Linter.RulesRecord}
 */
const restrictedImports = (closed) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [closedFolders(closed)],
      paths: neverLoaded.map((name) => ({ name, message: 'it is for development only' })),
    },
  ],
});

/**
 * @param {string} zone
 * @param {string[]} open
 */
const closedTo = (zone, open) => Object.keys(zones).filter((other) => other !== zone && !open.includes(other));

/**
 * @param {string} regex What is taken; everything else is refused.
 * @param {string} message
 * @returns {import('eslint').Linter.RulesRecord}
 */
const onlyImports = (regex, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ regex: `^(?!${regex})`, message }] }],
});

export default defineConfig(
  {
    ignores: [
      'dist/',
      'coverage/',
      'plugins/*/build/',
      'plugins/*/assembly/',
      'templates/',
      'test/fixtures/',
      'bench/guests/',
      'guest/types/',
    ],
  },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
    },
  },
  ...Object.entries(zones).map(([zone, open]) => ({
    files: [`src/${zone}/**/*.ts`],
    rules: restrictedImports(closedTo(zone, open)),
  })),
  ...Object.entries(folders).flatMap(([zone, all]) =>
    all.map((folder, at) => ({
      files: [`src/${zone}/${folder}/**/*.ts`],
      rules: restrictedImports([
        ...closedTo(zone, zones[/** @type {keyof typeof zones} */ (zone)]),
        ...all.slice(at + 1),
      ]),
    })),
  ),
  {
    files: ['src/client/**/*.ts'],
    rules: onlyImports(
      `node:|\\./[a-z-]+\\.js$|\\.\\./contract/(?:${clientImports.join('|')})\\.js$`,
      'the hook client imports node:, its own files, and the modules of src/contract/ in clientImports',
    ),
  },
  {
    files: clientImports.map((name) => `src/contract/${name}.ts`),
    rules: onlyImports(
      `node:buffer$|\\./(?:${clientImports.join('|')})\\.js$`,
      'the hook client bundles this module, so it imports only others in clientImports',
    ),
  },
  {
    // What only authors need is loaded on demand there, with a message that says what to install when it is missing.
    files: ['src/commands/build/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [closedFolders(closedTo('commands', zones.commands))] }] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/commands/**', 'src/*/main.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'only the command line ends the process' },
      ],
    },
  },
  {
    files: ['src/**/*.ts', 'scripts/**/*.mjs', 'bench/**/*.mjs'],
    rules: { 'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/contract/error-code.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "BinaryExpression[operator='in'][left.value='code']", message: 'use src/contract/error-code.ts' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines': 'off', '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['**/*.mjs', '*.js'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', performance: 'readonly', URL: 'readonly' },
    },
    rules: {
      'no-console': 'off',
      // The compiler knows better which globals there are.
      'no-undef': 'off',
      'max-lines': 'off',
      // Types are in JSDoc, and checked by the compiler.
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  // stdout of these processes carries frames only, so they replace the console.
  { files: ['src/{runner,admission}/main.ts'], rules: { 'no-console': 'off' } },
  // Those who use the SDK get the WIT's ambient types through it.
  { files: ['src/guest/**/*.ts'], rules: { '@typescript-eslint/triple-slash-reference': 'off' } },
  { files: ['types/*.d.ts'], rules: { '@typescript-eslint/no-extraneous-class': 'off' } },
);

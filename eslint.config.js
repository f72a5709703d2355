// @ts-check
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The layers of src/, lowest first: a folder may import from those before it (and from itself), never from later ones. */
const layers = [
  ...['files', 'libvirt', 'config', 'backends', 'sandbox', 'dispatch', 'journal', 'daemon'],
  ...['client', 'install', 'testing', 'replay', 'lifecycle', 'authoring', 'cli'],
];

/** The same within src/sandbox/, whose programs and whose face, sandbox.ts, lie above its folders. */
const sandboxLayers = ['wasm', 'isolation', 'protocol', 'fuel', 'translation', 'admission', 'supervision'];

/** What the tools of authors and tests load, and no program of the runtime. */
const neverLoaded = ['binaryen', '@bytecodealliance/jco-transpile'];

/**
 * What the hook client may import: it stands alone and starts at every event, so it takes nothing from a folder that runs
 * with other rights, nothing from a package, and of src/ only data and its encodings.
 */
const clientImports = ['error-code', 'errors', 'framing', 'hook-frames', 'limits', 'unreachable-policy'];

/** Those modules have no other imports than one another. */
const dataImports = `^(?!node:buffer$|\\./(?:${clientImports.join('|')})\\.js$)`;

/** @param {string} layer */
const layersAbove = (layer) => layers.slice(layers.indexOf(layer) + 1);

/** @param {string} layer */
const aboveInSandbox = (layer) => [...sandboxLayers.slice(sandboxLayers.indexOf(layer) + 1), ...layersAbove('sandbox')];

/** @param {string[]} later */
const restrictLayers = (later) => ({
  group: later.map((layer) => `**/${layer}/**`),
  message: 'imports point one way: this layer is above',
});

/**
 * @param {string[]} later
 * @returns {import('eslint').Linter.RulesRecord}
 */
const restrictedImports = (later) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: later.length > 0 ? [restrictLayers(later)] : [],
      paths: neverLoaded.map((name) => ({ name, message: 'it is for development only' })),
    },
  ],
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
  { files: ['src/*.ts'], ignores: ['src/index.ts'], rules: restrictedImports(layers) },
  ...layers.map((layer) => ({
    files: [`src/${layer}/**/*.ts`],
    rules: restrictedImports(layersAbove(layer)),
  })),
  {
    files: ['src/client/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(?!node:|\\./[a-z-]+\\.js$|\\.\\./(?:${clientImports.join('|')})\\.js$)`,
              message:
                'the hook client imports node:, its own files, and the data modules of src/ that are listed here',
            },
          ],
        },
      ],
    },
  },
  {
    files: clientImports.map((name) => `src/${name}.ts`),
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: dataImports, message: 'the hook client bundles this module, which imports only data' }] },
      ],
    },
  },
  {
    // What only authors need is loaded lazily there, and says what to install when it is missing.
    files: ['src/authoring/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [restrictLayers(['cli'])] }] },
  },
  ...sandboxLayers.map((layer) => ({
    files: [`src/sandbox/${layer}/**/*.ts`],
    rules: restrictedImports(aboveInSandbox(layer)),
  })),
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/sandbox/*-main.ts', 'src/client/main.ts'],
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
    ignores: ['src/error-code.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "BinaryExpression[operator='in'][left.value='code']", message: 'use src/error-code.ts' },
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
  { files: ['src/sandbox/*-main.ts'], rules: { 'no-console': 'off' } },
  // Those who use the SDK get the WIT's ambient types through it.
  { files: ['src/guest/**/*.ts'], rules: { '@typescript-eslint/triple-slash-reference': 'off' } },
  { files: ['types/*.d.ts'], rules: { '@typescript-eslint/no-extraneous-class': 'off' } },
);

import { expect, it } from 'vitest';
import * as api from '../src/index.js';

it('the public API is exactly this', () => {
  expect(Object.keys(api).sort()).toEqual([
    'ConfigError',
    'HandlerFailure',
    'HookvisorError',
    'catalog',
    'configFrom',
    'createLog',
    'createRuntime',
    'denialIsAnswered',
    'effectOf',
    'loadConfig',
    'lookUp',
    'parseConfig',
    'startServer',
    'statusSchema',
    'takesDocument',
    'verdictSchema',
    'version',
  ]);
});

/** `hookvisor/testing`: loads handlers in tests of vitest, node:test or any other test runner. */
export { loadPlugin } from './plugin.js';
export { findCaseFiles, readCases } from './cases.js';
export { runCases } from './run-cases.js';

export type { ArgvCall, CallDescription, WordsCall } from './call.js';
export type { Expectation } from './case-schema.js';
export type { CaseList, TestCase } from './cases.js';
export type { Difference, Result } from './differences.js';
export type { Pattern } from './pattern.js';
export type { HandledEvent, PluginOptions, TestPlugin } from './plugin.js';
export type { CaseResult, TestedHandler } from './run-cases.js';

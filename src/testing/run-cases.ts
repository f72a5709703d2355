import type { BackendName } from '../contract/backend-name.js';
import { HookvisorError } from '../contract/errors.js';
import type { TestCase } from './cases.js';
import { differences, type Difference, type Result } from './differences.js';
import { createTestBench, type HandledEvent, type TestBench, type TestPlugin } from './plugin.js';

/** The handler under test; the cases supply settings and limits. */
export interface TestedHandler {
  readonly file: string;
  readonly backend?: BackendName;
  readonly arguments?: 'libvirt' | 'rfc';
  readonly grants?: readonly string[];
}

/** The result of one case. */
export interface CaseResult {
  readonly case: TestCase;
  /** Empty when the case passes. */
  readonly differences: readonly Difference[];
  readonly result: Result;
}

/** Codes of refused settings and refused plug-ins, which a case may expect. */
const refusals = new Set(['plugin-settings', 'plugin-refused', 'plugin-invalid']);

/**
 * Runs cases one after the other, each on a fresh instance, and reports each result. Throws HookvisorError when the
 * handler cannot be loaded at all.
 */
export async function runCases(
  cases: readonly TestCase[],
  handler: TestedHandler,
  onResult: (result: CaseResult) => void = () => undefined,
): Promise<CaseResult[]> {
  await using bench = createTestBench();
  const loaded = new Map<string, Promise<TestPlugin | { refused: string }>>();
  const results: CaseResult[] = [];
  for (const one of cases) {
    const key = JSON.stringify([one.settings, one.limits]);
    const plugin = loaded.get(key) ?? load(bench, handler, one);
    loaded.set(key, plugin);
    const result = await resultOf(await plugin, one);
    const finished = { case: one, differences: differences(one.expect, result), result };
    results.push(finished);
    onResult(finished);
  }
  return results;
}

async function load(
  bench: TestBench,
  handler: TestedHandler,
  { settings, limits }: TestCase,
): Promise<TestPlugin | { refused: string }> {
  try {
    return await bench.load({ ...handler, settings, limits });
  } catch (error) {
    if (error instanceof HookvisorError && refusals.has(error.code)) return { refused: wordsOf(error) };
    throw error;
  }
}

/** Returns the objection of the plug-in itself, if any. */
function wordsOf({ fields, message }: HookvisorError): string {
  const objection = fields['objection'];
  return typeof objection === 'string' ? objection : message;
}

async function resultOf(plugin: TestPlugin | { refused: string }, one: TestCase): Promise<Result> {
  if ('refused' in plugin) return plugin;
  const handled: HandledEvent = await plugin.handle(one.call);
  return handled;
}

import type { BackendName } from '../config/config.js';
import { HookvisorError } from '../errors.js';
import type { TestCase } from './cases.js';
import { differences, type Difference, type Result } from './differences.js';
import { createTestBench, type HandledEvent, type TestBench, type TestPlugin } from './plugin.js';

/** What is tested; the cases bring settings and limits. */
export interface TestedHandler {
  readonly file: string;
  readonly backend?: BackendName;
  readonly arguments?: 'libvirt' | 'rfc';
  readonly grants?: readonly string[];
}

/** How one case ended. */
export interface CaseResult {
  readonly case: TestCase;
  /** Empty when the case holds. */
  readonly differences: readonly Difference[];
  readonly result: Result;
}

/** Codes with which a plug-in objects to its settings, or is objected to: a case may expect that. */
const refusals = new Set(['plugin-settings', 'plugin-refused', 'plugin-invalid']);

/**
 * Runs cases one after the other, each on a fresh instance, and tells each result as it comes. Throws HookvisorError
 * when the handler cannot be loaded at all.
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

/** The plug-in's own objection where it has one. */
function wordsOf({ fields, message }: HookvisorError): string {
  const objection = fields['objection'];
  return typeof objection === 'string' ? objection : message;
}

async function resultOf(plugin: TestPlugin | { refused: string }, one: TestCase): Promise<Result> {
  if ('refused' in plugin) return plugin;
  const handled: HandledEvent = await plugin.handle(one.call);
  return handled;
}

import { hasCode } from './error-code.js';
import { messageOf } from './errors.js';
import type { Limits } from './limits.js';
import { HandlerFailure } from './outcome.js';
import type { FailureCode, LogLine } from './outcome.js';
import { oneLine } from './text.js';

/**
 * Under these names a hardened core module imports its meter, and the memory that it declared. No plugin may import from
 * this module by itself.
 */
export const meterNames = {
  module: 'hookvisor:meter',
  fuel: 'fuel',
  growFailed: 'grow-failed',
  grown: 'grown',
  memory: 'memory',
} as const;

/** What one evaluation uses, counted by code that was built into the plugin and shared by all of its core modules. */
export interface Meter {
  readonly globals: Readonly<Record<string, WebAssembly.Global>>;
  /** Steps executed so far; the whole budget once it ran out, wherever that was noticed. */
  spent(): number;
  /** Takes steps for work that the host does for the plugin. Throws where there are not enough. */
  readonly charge: (steps: number) => void;
  /** Steps that are left. */
  left(): number;
  readonly limits: Limits;
  /** Ends the plugin with this failure, though it has fuel left. */
  readonly end: (failure: LimitFailure, message: string) => never;
  /** How it was ended. */
  readonly ended: LimitReached | null;
  readonly exhausted: boolean;
  /** Whether the last time that a memory was to grow, the limit forbade it. */
  readonly starved: boolean;
}

/** A full meter for one fresh instance. The budget covers instantiation and call together. */
export function createMeter(limits: Limits): Meter {
  const fuel = new WebAssembly.Global({ value: 'i64', mutable: true }, BigInt(limits.fuel));
  const growFailed = new WebAssembly.Global({ value: 'i32', mutable: true }, 0);
  const grown = new WebAssembly.Global({ value: 'i32', mutable: true }, 0);
  let ended: LimitReached | null = null;
  return {
    globals: { [meterNames.fuel]: fuel, [meterNames.growFailed]: growFailed, [meterNames.grown]: grown },
    limits,
    left: () => Math.max(0, Number(fuel.value)),
    spent: () => limits.fuel - Math.max(0, Number(fuel.value)),
    charge: (steps) => {
      // Glue code may have swallowed what ended it.
      if (ended !== null) throw ended;
      const left = Number(fuel.value) - steps;
      fuel.value = BigInt(left);
      if (left < 0) throw new Error('out of fuel');
    },
    end: (failure, message) => {
      ended ??= new LimitReached(failure, message);
      throw ended;
    },
    get ended() {
      return ended;
    },
    get exhausted() {
      return Number(fuel.value) < 0;
    },
    get starved() {
      return growFailed.value !== 0;
    },
  };
}

type HardeningImports = Readonly<Record<string, WebAssembly.Global | WebAssembly.Memory>>;

/** What a hardened core module imports besides what the plugin asks for, under `meterNames.module`. */
export function hardeningImports({ globals }: Meter, memory: WebAssembly.Memory | null): HardeningImports {
  return memory === null ? globals : { ...globals, [meterNames.memory]: memory };
}

/** The host would have to do more than one call may ask for. */
class LimitReached extends Error {
  readonly failure: LimitFailure;

  constructor(failure: LimitFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

type LimitFailure = 'out-of-fuel' | 'out-of-memory';

export interface Spent {
  readonly meter: Meter;
  readonly limits: Limits;
  readonly logs: readonly LogLine[];
}

/** What a plugin's exception means: the first cause wins, and running out of fuel or memory comes before its trap. */
export function failureOf(error: unknown, { meter, limits, logs }: Spent): HandlerFailure {
  if (error instanceof HandlerFailure) return error;
  const fail = (code: FailureCode, message: string, fuel: number | null = meter.spent()): HandlerFailure =>
    new HandlerFailure(code, message, { cause: error, fuel, logs });
  if (meter.ended !== null) return fail(meter.ended.failure, meter.ended.message);
  if (meter.exhausted) return fail('out-of-fuel', `the plugin used all of its ${limits.fuel} steps`);
  // V8 decides how deep a stack may get, so the steps up to here are not the same everywhere.
  if (isStackOverflow(error)) return fail('trap', 'the plugin trapped: call stack exhausted', null);
  if (meter.starved) {
    return fail('out-of-memory', `the plugin needs more than its ${limits.memoryBytes} bytes of memory`);
  }
  if (isBadText(error)) return fail('protocol', 'the plugin broke the contract: a text of it is not in its encoding');
  const text = oneLine(messageOf(error), 300);
  if (error instanceof WebAssembly.RuntimeError) return fail('trap', `the plugin trapped: ${text}`);
  return fail('protocol', `the plugin broke the contract: ${text}`);
}

/** What TextDecoder throws when it is to be strict, as it is for components. */
function isBadText(error: unknown): boolean {
  return error instanceof TypeError && hasCode(error, 'ERR_ENCODING_INVALID_ENCODED_DATA');
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

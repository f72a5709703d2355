import { hasCode } from './error-code.js';
import { messageOf } from './errors.js';
import type { Limits } from './limits.js';
import { HandlerFailure } from './outcome.js';
import type { FailureCode, LogLine } from './outcome.js';
import { oneLine } from './text.js';

/**
 * The names under which a hardened core module imports its meter and the memory that it declared. Plug-ins themselves
 * must not import from this module.
 */
export const meterNames = {
  module: 'hookvisor:meter',
  fuel: 'fuel',
  growFailed: 'grow-failed',
  grown: 'grown',
  memory: 'memory',
} as const;

/**
 * Counts the steps of one evaluation. Code that hardening adds to the plug-in counts them; all of its core modules
 * share the meter.
 */
export interface Meter {
  readonly globals: Readonly<Record<string, WebAssembly.Global>>;
  /** Returns the steps executed so far; the whole budget once it was exhausted, wherever that was detected. */
  spent(): number;
  /** Takes steps for work of the host on behalf of the plug-in. Throws if there are not enough. */
  readonly charge: (steps: number) => void;
  /** Returns the remaining steps. */
  left(): number;
  readonly limits: Limits;
  /** Ends the plug-in with this failure, even if it has fuel left. */
  readonly end: (failure: LimitFailure, message: string) => never;
  /** The failure that ended the plug-in. */
  readonly ended: LimitReached | null;
  readonly exhausted: boolean;
  /** Whether the limit prevented the most recent growth of a memory. */
  readonly starved: boolean;
}

/** Returns a full meter for one fresh instance. The budget covers instantiation and call together. */
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
      // Glue code may have caught the error that ended it.
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

/** Returns the additional imports of a hardened core module, under `meterNames.module`. */
export function hardeningImports({ globals }: Meter, memory: WebAssembly.Memory | null): HardeningImports {
  return memory === null ? globals : { ...globals, [meterNames.memory]: memory };
}

/** Thrown if one call would require more of the host's work than allowed. */
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

/**
 * Returns the failure for a plug-in's exception. The first cause wins; exhausted fuel or memory takes precedence over
 * the resulting trap.
 */
export function failureOf(error: unknown, { meter, limits, logs }: Spent): HandlerFailure {
  if (error instanceof HandlerFailure) return error;
  const fail = (code: FailureCode, message: string, fuel: number | null = meter.spent()): HandlerFailure =>
    new HandlerFailure(code, message, { cause: error, fuel, logs });
  if (meter.ended !== null) return fail(meter.ended.failure, meter.ended.message);
  if (meter.exhausted) return fail('out-of-fuel', `the plug-in used all of its ${limits.fuel} steps`);
  // V8 determines the maximum stack depth, so the number of steps until the overflow is not the same everywhere.
  if (isStackOverflow(error)) return fail('trap', 'the plug-in trapped: call stack exhausted', null);
  if (meter.starved) {
    return fail('out-of-memory', `the plug-in needs more than its ${limits.memoryBytes} bytes of memory`);
  }
  if (isBadText(error))
    return fail('protocol', 'the plug-in broke the contract: one of its texts has an invalid encoding');
  const text = oneLine(messageOf(error), 300);
  if (error instanceof WebAssembly.RuntimeError) return fail('trap', `the plug-in trapped: ${text}`);
  return fail('protocol', `the plug-in broke the contract: ${text}`);
}

/** Returns whether an error is the one that a strict TextDecoder throws. Components use a strict one. */
function isBadText(error: unknown): boolean {
  return error instanceof TypeError && hasCode(error, 'ERR_ENCODING_INVALID_ENCODED_DATA');
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

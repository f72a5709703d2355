import type { CallContext, ExtismPluginOptions } from '@extism/extism';
import { bounds } from '../contract/limits.js';
import { costOfBlock, costOfCall } from './host-cost.js';
import type { Meter } from '../contract/meter.js';
import { hardeningImports, meterNames } from '../contract/meter.js';

/** Maximum memory of the host that one event may use through Extism's kernel, bytes: the input, copies and answers. */
const kernelBytes = 4 * bounds.documentBytes;

type Functions = NonNullable<ExtismPluginOptions['functions']>;

/** Additional imports of an instance's hardened module. */
export interface Hardening {
  readonly meter: Meter;
  readonly memory: WebAssembly.Memory | null;
}

/**
 * Returns replacements for the SDK's own functions, whose memory is unbounded: `alloc`, `config_get` and `var_set`
 * allocate memory of the host at each call. The replacements cost fuel in proportion to the bytes that they move, and
 * belong to one instance. The SDK binds each function to its context before use; the binding of a WebAssembly.Global or
 * Memory returns the object itself, so that it is passed on unchanged.
 */
export function extismFunctions(config: ReadonlyMap<string, string>, { meter, memory }: Hardening): Functions {
  let taken = 0;
  const take = (bytes: number): void => {
    meter.charge(costOfBlock(Math.min(bytes, kernelBytes)));
    // Even an empty block takes some memory.
    taken += bytes + 64;
    if (!(taken <= kernelBytes)) throw new Error(`it uses more than ${kernelBytes} bytes of Extism's memory`);
  };
  const variables = new Map<string, bigint>();
  const text = (context: CallContext, address: bigint): string => {
    const block = context.read(address);
    meter.charge(costOfCall(block?.bytes().length ?? 0));
    return block?.string() ?? '';
  };
  const kernel = {
    alloc: (context: CallContext, size: bigint): bigint => {
      take(Number(BigInt.asUintN(64, size)));
      return context.alloc(size);
    },
    config_get: (context: CallContext, address: bigint): bigint => {
      const value = config.get(text(context, address));
      if (value === undefined) return 0n;
      take(Buffer.byteLength(value));
      return value === '' ? context.alloc(0) : context.store(value);
    },
    var_get: (context: CallContext, address: bigint): bigint => variables.get(text(context, address)) ?? 0n,
    var_set: (context: CallContext, address: bigint, value: bigint): void => {
      const key = text(context, address);
      if (!variables.has(key)) take(key.length);
      if (value === 0n) variables.delete(key);
      else variables.set(key, value);
    },
    log_trace: (): void => undefined,
    get_log_level: (): number => 0,
  };
  const bound = Object.fromEntries(
    Object.entries(hardeningImports(meter, memory)).map(([name, one]) => [
      name,
      Object.assign(one, { bind: () => one }),
    ]),
  );
  // The SDK's types only allow functions.
  return { 'extism:host/env': kernel, [meterNames.module]: bound as unknown as Functions[string] };
}

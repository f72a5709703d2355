import { $init, generate } from '@bytecodealliance/jco-transpile/component';
import { z } from 'zod';
import { bare } from '../../src/runner/bare.js';
import type { HookEvent } from '../../src/contract/event.js';
import type { SelectError } from '../../src/shared/xml/selection.js';
import { bounds } from '../../src/contract/limits.js';
import { logLevels } from '../../src/contract/outcome.js';
import type { LogLevel, Outcome } from '../../src/contract/outcome.js';
import type { ComponentExports, InstantiateComponent } from '../../src/runner/component-instance.js';
import { cut } from '../../src/runner/host.js';
import type { HostCalls } from '../../src/runner/host.js';
import { costOfCall, costOfCopy, costOfGlance } from '../../src/runner/host-cost.js';
import { withNamedTraps } from '../../src/runner/trap.js';

/**
 * jco's glue tries this for each instance and goes on without it where it is missing. V8 words the exception by parsing
 * the glue again: 5 ms of the 6 that an instance of a QuickJS component took in Node 20.
 */
function providePromising(): void {
  if (!('promising' in WebAssembly)) Object.assign(WebAssembly, { promising: (call: unknown) => call });
}

const callable = <T>() => z.custom<T>((value) => typeof value === 'function');

const glueSchema = z.object({
  instantiate:
    callable<
      (
        getCoreModule: (name: string) => string,
        imports: object,
        instantiateCore: (module: string, imports?: WebAssembly.Imports) => WebAssembly.Instance,
      ) => unknown
    >(),
});

/** By their whole names: jco has short ones besides, which another package's interface may take first. */
const handlerName = 'hookvisor:hook/handler@0.1.0';
const configurableName = 'hookvisor:hook/configurable@0.1.0';
const exportsSchema = z.object({
  [handlerName]: z.object({ handle: callable<(event: unknown) => unknown>() }),
  [configurableName]: z.object({ validate: callable<() => unknown>() }).optional(),
});

/** A component as JavaScript that instantiates core modules. */
interface Transpiled {
  /** ES module that exports `instantiate(getCoreModule, imports, instantiateCore)`. */
  readonly glue: string;
  readonly modules: readonly { readonly name: string; readonly bytes: Buffer }[];
}

export async function transpileComponent(bytes: Buffer): Promise<Transpiled> {
  await $init;
  const { files } = generate(bytes, {
    name: 'plugin',
    instantiation: { tag: 'sync' },
    base64Cutoff: 0,
    noTypescript: true,
    noNodejsCompat: true,
    noComponentErrorWrapping: true,
  });
  const all = files.map(([name, content]) => ({ name, bytes: Buffer.from(content) }));
  const glue = all.find(({ name }) => name === 'plugin.js')?.bytes.toString('utf8') ?? '';
  return { glue: withStrictText(glue), modules: all.filter(({ name }) => name.endsWith('.wasm')) };
}

/**
 * The component model traps where text is not valid in its encoding, and takes all else as it is. What jco generates puts
 * replacement characters there and loses a byte order mark.
 */
function withStrictText(glue: string): string {
  return glue.replaceAll(/new TextDecoder\((?:'(utf-16)')?\)/gu, (_, encoding?: string) => {
    return `new TextDecoder('${encoding ?? 'utf-8'}', { fatal: true, ignoreBOM: true })`;
  });
}

/** The ES module that jco generated makes the instances: another way to the same, to compare with. */
export async function jcoComponent(glue: string): Promise<InstantiateComponent> {
  providePromising();
  // A `data:` address needs no file, so a runner without write access can evaluate it.
  const module: unknown = await import(`data:text/javascript;base64,${Buffer.from(glue).toString('base64')}`);
  const { data: { instantiate } = {}, error } = glueSchema.safeParse(module);
  if (instantiate === undefined) throw new Error('its JavaScript is not that of a component', { cause: error });
  return (host, instantiateCore) => {
    const made = instantiate(
      (name) => name,
      importsOf(host),
      (name, imports = {}) => instantiateCore(name, paid(imports, host)),
    );
    const { data, error: wrong } = exportsSchema.safeParse(made);
    if (data === undefined) throw new Error('its exports are not those of the world', { cause: wrong });
    const { [handlerName]: handler, [configurableName]: configurable } = data;
    return {
      handle: (event) => toOutcome(withNamedTraps(() => handler.handle(toWit(event)))),
      validate: () => withNamedTraps(() => objectionOf(() => configurable?.validate())),
    } satisfies ComponentExports;
  };
}

/** jco hands `payload` to the guest as the error of a WIT `result`. */
class SelectFailure extends Error {
  readonly payload: SelectError;

  constructor(payload: SelectError) {
    super(payload.tag);
    this.payload = payload;
  }
}

/**
 * What jco's own functions do for a component is paid for with its fuel, as it is in a plan. They are told apart by their
 * names, which no plugin can give: a core module's functions have numbers.
 */
function paid(imports: WebAssembly.Imports, { charge }: HostCalls): WebAssembly.Imports {
  for (const [module, fields] of Object.entries(imports)) {
    for (const [field, value] of Object.entries(fields)) {
      // Those of the world pay for themselves.
      if (typeof value !== 'function' || /^\d+$|^bound _lowerImport/u.test(value.name)) continue;
      const work = value as (...words: unknown[]) => unknown;
      fields[field] = (...words: unknown[]) => {
        charge(costOf(work.name, module, words));
        return work(...words);
      };
    }
  }
  return imports;
}

function costOf(name: string, module: string, [, length]: readonly unknown[]): number {
  if (/^mem\d+ |^bound context/u.test(name)) return costOfGlance;
  return module === 'transcode' && typeof length === 'number' ? costOfCopy(length >>> 0) : costOfCall(0);
}

/** The functions of the world by the names under which the glue asks for them. */
function importsOf(host: HostCalls): object {
  const select = (xpath: unknown): readonly string[] => {
    const text = textOf(xpath);
    const selection = host.select(text, Buffer.byteLength(text));
    if ('error' in selection) throw new SelectFailure(selection.error);
    return selection.ok;
  };
  const write = (level: unknown, message: unknown): void => {
    const text = textOf(message);
    host.write(levelOf(level), text, Buffer.byteLength(text));
  };
  const functions = (given: Record<string, unknown>): object => bare(Object.entries(given));
  return bare([
    ['hookvisor:hook/types', functions({})],
    ['hookvisor:hook/document', functions({ text: () => host.document()?.toString('utf8'), select })],
    ['hookvisor:hook/settings', functions({ json: host.json })],
    ['hookvisor:hook/log', functions({ write })],
  ]);
}

/** What jco makes of a plugin's values is the plugin's. Throws TypeError for what is not of the world. */
function textOf(value: unknown): string {
  if (typeof value !== 'string')
    throw new TypeError('it passed something that is not a string where the world has one');
  return value;
}

function levelOf(value: unknown): LogLevel {
  const level = logLevels.find((one) => one === value);
  if (level === undefined) throw new TypeError('invalid discriminant specified for Level');
  return level;
}

/** The WIT record `event`. */
function toWit({ time, extra, uuid, ...event }: HookEvent): object {
  return { ...event, time: BigInt(time), extra: extra ?? undefined, uuid: uuid ?? undefined };
}

function toOutcome(value: unknown): Outcome {
  if (typeof value === 'object' && value !== null && 'tag' in value) {
    const val = 'val' in value ? value.val : null;
    if (value.tag === 'allow') return { outcome: 'allow' };
    if (value.tag === 'deny' && typeof val === 'string') {
      return { outcome: 'deny', reason: cut(val, bounds.reasonChars) };
    }
    if (value.tag === 'replace' && typeof val === 'string') {
      return { outcome: 'replace', document: Buffer.from(val) };
    }
  }
  throw new TypeError('what it answered is not an outcome');
}

const payloadSchema = z.object({ payload: z.string() });

/** jco throws a result's error as it is, or inside an Error with a payload. */
function objectionOf(validate: () => unknown): string | null {
  try {
    validate();
    return null;
  } catch (error) {
    const objection = typeof error === 'string' ? error : payloadSchema.safeParse(error).data?.payload;
    if (objection === undefined) throw error;
    return objection;
  }
}

import { loadComponent, loadInstances } from '../../src/runner/component.js';
import type { Guest } from '../../src/runner/guest.js';
import type { HookCall } from '../../src/contract/event.js';
import type { Limits } from '../../src/contract/limits.js';
import { HandlerFailure } from '../../src/contract/outcome.js';
import type { FailureCode, LogLine } from '../../src/contract/outcome.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { withoutCustomSections } from '../../src/admission/wasm/custom-sections.js';
import { hardenModule } from '../../src/admission/fuel/harden.js';
import { lendMemory } from '../../src/admission/fuel/lend-memory.js';
import { initialMemory } from '../../src/admission/vet-core.js';
import { vetPlugin } from '../../src/admission/vet.js';
import { jcoComponent, transpileComponent } from './jco-component.js';

/** How an evaluation, or a check of the settings, ended. */
export interface Ending {
  /** What was decided; for settings the objection, or `none`. */
  readonly said: string | null;
  readonly failure: FailureCode | null;
  readonly message: string | null;
  readonly fuel: number | null;
  readonly logs: readonly LogLine[];
}

/** The same plugin, put together from its plan and by the JavaScript that jco generates for it. */
export interface BothWays {
  readonly planned: Guest;
  readonly glued: Guest;
}

export const bothLimits: Limits = { deadlineMs: 60_000, fuel: 50_000_000, memoryBytes: 64 * 1_024 * 1_024 };

interface Options {
  readonly settings?: object;
  readonly limits?: Partial<Limits>;
}

/** Admits a component once, to be loaded either way with any settings. */
export async function admitBothWays(
  bytes: Buffer,
  memoryBytes = bothLimits.memoryBytes,
): Promise<(options?: Options) => Promise<BothWays>> {
  const planned = await admitPlugin(bytes, { backend: 'component', memoryBytes });
  const { glue, modules } = await transpileComponent(withoutCustomSections(bytes));
  const initialBytes = initialMemory(vetPlugin(bytes, 'component', { memoryBytes }).modules);
  const glued = {
    ...planned,
    modules: modules.map(({ name, bytes: core }) => ({
      ...{ name, ...lendMemory(hardenModule(core, { memoryBytes, initialBytes })) },
    })),
  };
  return async ({ settings = {}, limits = {} } = {}) => {
    const rest = { settings: JSON.stringify(settings), limits: { ...bothLimits, memoryBytes, ...limits } };
    return {
      planned: await loadComponent({ artefact: planned, ...rest }),
      glued: await loadInstances({ artefact: glued, ...rest }, await jcoComponent(glue), true),
    };
  };
}

async function endingOf(guest: Guest, call: HookCall): Promise<Ending> {
  return guest.evaluate(call).then(({ outcome, fuel, logs }) => {
    const text = outcome.outcome === 'deny' ? outcome.reason : '';
    const document = outcome.outcome === 'replace' ? outcome.document.toString('latin1') : '';
    return { ...decided(`${outcome.outcome} ${text}${document}`.trim()), fuel, logs };
  }, failed);
}

export async function checkOf(guest: Guest): Promise<Ending> {
  return guest.validate().then((objection) => decided(objection ?? 'none'), failed);
}

export async function endingsOf(
  { planned, glued }: BothWays,
  call: HookCall,
): Promise<[planned: Ending, glued: Ending]> {
  return [await endingOf(planned, call), await endingOf(glued, call)];
}

const decided = (said: string): Ending => ({ said, failure: null, message: null, fuel: null, logs: [] });

function failed(error: unknown): Ending {
  if (!(error instanceof HandlerFailure)) throw error;
  const { failure, message, fuel, logs } = error;
  return { said: null, failure, message: plain(message), fuel, logs };
}

/** jco leaves it to V8 to say that a text lies outside, and tells a handle by its place in an array. */
function plain(message: string): string {
  return message
    .replace(/Start offset -?\d+ is outside the bounds of the buffer|Invalid typed array length: -?\d+/u, 'outside')
    .replace(/a text of \d+ bytes is outside the bounds of its memory/u, 'outside')
    .replace(/unknown handle index -?\d+/u, 'unknown handle');
}

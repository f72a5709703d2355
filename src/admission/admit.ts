import { createHash } from 'node:crypto';
import type { Artefact } from '../contract/artefact.js';
import type { ComponentPlan } from '../contract/component-plan.js';
import { enableExtendedConst } from '../contract/compile.js';
import { hardenModule } from './fuel/harden.js';
import { lendMemory } from './fuel/lend-memory.js';
import { moduleName, planOf } from './translation/plan.js';
import { translateComponent } from './translation/translator.js';
import { vetCore, vetPlugin } from './vet.js';
import { initialMemory } from './vet-core.js';
import { readComponent } from './wasm/component-binary.js';
import { withoutCustomSections } from './wasm/custom-sections.js';

export interface AdmitOptions {
  readonly backend: Artefact['backend'];
  /** Largest size of all linear memories of the plugin together, bytes; built into the modules. */
  readonly memoryBytes: number;
  /** Largest plugin, bytes; the one that no configuration can raise unless given. */
  readonly pluginBytes?: number;
}

/**
 * Turns a plugin into what a runner loads: vetted, translated and hardened. Nothing of the plugin runs. The same bytes
 * and options always give the same artefact.
 * Throws HookvisorError `plugin-refused` (a rule of ours) or `plugin-invalid` (not what the backend takes).
 */
export async function admitPlugin(bytes: Buffer, options: AdmitOptions): Promise<Artefact> {
  enableExtendedConst();
  const digest = createHash('sha256').update(bytes).digest('hex');
  const { validates, modules: vetted } = vetPlugin(bytes, options.backend, options);
  const limits = { memoryBytes: options.memoryBytes, initialBytes: initialMemory(vetted) };
  if (options.backend === 'extism') {
    const modules = [{ name: 'main', ...lendMemory(hardenModule(bytes, limits)) }];
    return { backend: 'extism', digest, assembly: { kind: 'module' }, validates, modules };
  }
  const plain = withoutCustomSections(bytes);
  const own = readComponent(plain).coreModules;
  const translated = await translateComponent(plain);
  const plan = planOf(translated);
  const modules = translated.modules.map((core, place) => {
    // The translator adds modules of its own making: what is hardened is what was vetted.
    if (!own.some(({ bytes: vettedBefore }) => vettedBefore.equals(core))) vetCore(core, options);
    return { name: moduleName(place), ...lendMemory(hardenModule(core, limits)) };
  });
  return {
    backend: 'component',
    digest,
    assembly: { kind: 'plan', plan, needsXml: selects(plan) },
    validates,
    modules,
  };
}

/** Whether a component can select in the document. */
function selects({ steps }: ComponentPlan): boolean {
  return steps.some(({ imports }) =>
    imports.some(([, fields]) => fields.some(([, value]) => value.is === 'host' && value.call === 'select')),
  );
}

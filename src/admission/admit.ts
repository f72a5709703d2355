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
  /** Limit of the plug-in's linear memories together, bytes; built into the modules. */
  readonly memoryBytes: number;
  /** Largest plug-in, bytes. The default is the bound that no configuration can exceed. */
  readonly pluginBytes?: number;
}

/**
 * Turns a plug-in into what a runner loads: vets, translates and hardens it. Runs nothing of the plug-in. The same
 * bytes and options always give the same artefact. Throws HookvisorError `plugin-refused` if a rule forbids the
 * plug-in, or `plugin-invalid` if the backend cannot load it.
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
    // The translator adds modules of its own. Only vetted modules are hardened, so vet these too.
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

/** Returns whether a component can run XPath queries on the document. */
function selects({ steps }: ComponentPlan): boolean {
  return steps.some(({ imports }) =>
    imports.some(([, fields]) => fields.some(([, value]) => value.is === 'host' && value.call === 'select')),
  );
}

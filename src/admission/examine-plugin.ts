import { createHash } from 'node:crypto';
import type { Artefact } from '../contract/artefact.js';
import { pageBytes } from '../contract/limits.js';
import { oneLine } from '../contract/text.js';
import { abilitiesOf } from './abilities.js';
import { admitPlugin } from './admit.js';
import { readProducers } from './producers.js';
import { detectBackend, examine, objectionOf } from './vet.js';
import type { Findings } from './vet.js';
import type { VettedModule } from './vet-core.js';
import type { VetReport } from '../contract/vet-report.js';
import type { WasmLimits } from './wasm/declared-types.js';
import type { Objection } from '../contract/objection.js';

/** Largest number of imports or exports in a report. */
const listed = 1_000;

/** The size limits of a handler's configuration, bytes. */
interface SizeLimits {
  readonly memoryBytes: number;
  readonly pluginBytes: number;
}

/**
 * Reports everything that can be said about a plug-in without running it. The verdict is that of admission: a plug-in
 * that breaks no rule is admitted completely. Must be called only in the admission process.
 */
export async function examinePlugin(bytes: Buffer, options: SizeLimits): Promise<VetReport> {
  const backend = detectBackend(bytes);
  const findings = examine(bytes, backend ?? 'component', options);
  const hardened = findings.objections.length === 0 ? await tryAdmission(bytes, findings, options) : null;
  const refusedLate = hardened !== null && 'rule' in hardened ? [hardened] : [];
  const reasons = [...findings.objections, ...refusedLate];
  const admitted = reasons.length === 0;
  const report: VetReport = {
    verdict: admitted ? 'admitted' : 'refused',
    backend,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    memoryBytes: options.memoryBytes,
    pluginBytes: options.pluginBytes,
    modules: findings.modules.map(moduleReport),
    features: [...new Set(findings.modules.flatMap(({ code }) => [...code.features]))].sort(),
    producers: readProducers(bytes),
    imports: listOf(findings.imports),
    exports: listOf(findings.exports),
    ...(admitted ? abilitiesOf(findings, options.memoryBytes) : { can: [], cannot: [] }),
    reasons: reasons.map((reason) => ({ ...reason, fields: { ...reason.fields } })),
    hardenedBytes: hardened !== null && 'modules' in hardened ? sizeOf(hardened) : null,
  };
  return report;
}

async function tryAdmission(bytes: Buffer, { backend }: Findings, options: SizeLimits): Promise<Artefact | Objection> {
  try {
    return await admitPlugin(bytes, { backend, ...options });
  } catch (error) {
    return objectionOf(error);
  }
}

function sizeOf({ modules }: Artefact): number {
  return modules.reduce((sum, module) => sum + module.bytes.length, 0);
}

function listOf(names: readonly string[]): string[] {
  return names.slice(0, listed).map((name) => oneLine(name, 200));
}

function moduleReport({ bytes, instances, functions, memories, tables, starts }: VettedModule) {
  const inBytes = ({ minimum, maximum }: WasmLimits) => ({
    minimumBytes: minimum * pageBytes,
    maximumBytes: maximum === null ? null : maximum * pageBytes,
  });
  return {
    bytes,
    instances,
    functions: functions.length,
    memories: memories.slice(0, 100).map(inBytes),
    tables: tables.slice(0, 100).map(({ minimum, maximum }) => ({ minimum, maximum })),
    startFunction: starts > 0,
  };
}

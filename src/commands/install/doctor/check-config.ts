import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { Config } from '../../../runtime/config/config.js';
import { examineConfig, loadConfig } from '../../../runtime/config/load.js';
import { createEngine } from '../../../runtime/engine.js';
import { HookvisorError, messageOf } from '../../../contract/errors.js';
import { createPathTrust } from '../../../runtime/files/path-trust.js';
import { oneLine } from '../../../contract/text.js';
import { below, places } from '../places.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** Checks the configuration, everything that it loads, and the isolation of plug-ins; below another root only its text. */
export async function checkConfig(root: string, file: string): Promise<{ findings: Finding[]; config: Config | null }> {
  const advice = `correct it; 'hookvisor check --config ${file}' lists everything`;
  let config: Config;
  try {
    // The users of another system need not be those of this one.
    config = root === '/' ? await loadConfig(file) : (await examineConfig(file, createPathTrust())).config;
  } catch (error) {
    return { findings: [configFailure(firstLine(error), advice, error)], config: null };
  }
  if (root !== '/') {
    return { findings: [ok('configuration', `'${file}' can be read (${config.handlers.size} handlers)`)], config };
  }
  const findings: Finding[] = [...checkScripts(root, config)];
  try {
    await using engine = await createEngine(config, () => undefined);
    findings.unshift(ok('configuration', `'${file}' is valid and its ${config.handlers.size} handlers can be loaded`));
    findings.push(isolationFinding(engine.status().sandbox.isolation));
  } catch (error) {
    findings.unshift(configFailure(oneLine(messageOf(error), 600), advice, error));
  }
  return { findings, config };
}

/** Reports a configuration that cannot be used; a separate check lists what others can change. */
function configFailure(found: string, advice: string, error: unknown): Finding {
  if (!(error instanceof HookvisorError) || error.code !== 'untrusted') return fail('configuration', found, advice);
  return fail(
    'configuration',
    oneLine(error.message.split('\n')[0] ?? '', 600),
    "correct what the check 'trust' lists",
  );
}

function isolationFinding(isolation: {
  readonly level: string;
  readonly mechanism: string;
  readonly missing: readonly string[];
  readonly unavailable: readonly { readonly mechanism: string; readonly reason: string }[];
}): Finding {
  const without = isolation.missing.length === 0 ? '' : `, without ${isolation.missing.join(', ')}`;
  const found = `plug-ins are isolated by ${isolation.mechanism} (${isolation.level})${without}`;
  if (isolation.level === 'namespaces') return ok('isolation', found);
  const why = isolation.unavailable.map(({ mechanism, reason }) => `${mechanism}: ${reason}`).join(`${delimiter} `);
  return warn(
    'isolation',
    `${found}; better mechanisms do not work: ${oneLine(why, 400)}`,
    'run apt install bubblewrap, and run the runtime as root',
  );
}

/** Warns about scripts that the service confines although nobody asked for it. */
function checkScripts(root: string, { handlers }: Config): Finding[] {
  const scripts = [...handlers.values()].filter(({ backend }) => backend === 'script');
  const unit = existsSync(below(root, places.service));
  if (scripts.length === 0 || !unit || existsSync(below(root, places.scriptsDropIn))) return [];
  const found = `${scripts.length} handlers are scripts, and the service does not let them change the system`;
  return [warn('configuration', found, "if they need to, run 'hookvisor install --scripts' and restart the service")];
}

function firstLine(error: unknown): string {
  return oneLine(messageOf(error).split('\n').slice(0, 3).join(' '), 600);
}

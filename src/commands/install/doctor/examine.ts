import { below, places } from '../places.js';
import { checkConfig } from './check-config.js';
import { checkHooks } from './check-hooks.js';
import { checkJournal } from './check-journal.js';
import { checkLibvirt, checkTold } from './check-libvirt.js';
import { checkPolicy } from './check-policy.js';
import { checkRuntime } from './check-runtime.js';
import { checkTrust } from './check-trust.js';
import type { Finding } from './finding.js';

export interface ExamineOptions {
  /** `/`, or the root folder of another system, of which only the files are checked. */
  readonly root: string;
  /** The configuration file; null for the default. */
  readonly config: string | null;
}

/** Checks everything that libvirt needs to get its answers. Changes nothing. */
export async function examine({ root, config: named }: ExamineOptions): Promise<Finding[]> {
  const { findings: hooks, installed } = checkHooks(root);
  const { findings: configuration, config } = await checkConfig(root, named ?? below(root, places.config));
  const policy = checkPolicy(root, config);
  if (root !== '/') return [...hooks, ...configuration, ...policy];
  const journal = config === null ? null : await checkJournal(config, Date.now());
  return [
    ...(await checkLibvirt(installed)),
    ...hooks,
    ...checkTold(installed, journal?.events ?? []),
    ...(await checkTrust(named ?? places.config, installed)),
    ...configuration,
    ...(config === null ? [] : await checkRuntime(config.socket)),
    ...policy,
    ...(journal?.findings ?? []),
  ];
}

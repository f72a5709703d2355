import { existsSync, lstatSync } from 'node:fs';
import { HookvisorError, messageOf } from '../../../contract/errors.js';
import { hookState, readClient } from '../client-file.js';
import { below, besideName, hookNames, places, type HookName } from '../places.js';
import { surveyHooks } from '../survey.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** Where the client is installed, by driver. */
export interface InstalledHook {
  readonly driver: HookName;
  /** Path below the root. */
  readonly path: string;
}

/** Checks the hooks of every driver: installed, executable, of this release. */
export function checkHooks(root: string): { findings: Finding[]; installed: InstalledHook[] } {
  const check = 'hooks';
  if (!existsSync(below(root, places.hooks))) {
    return { findings: [fail(check, `'${places.hooks}' does not exist`, 'run hookvisor install')], installed: [] };
  }
  try {
    const client = readClient();
    const found = surveyHooks({ root, drivers: hookNames, client });
    const installed = found.flatMap(({ driver }): InstalledHook[] => {
      const candidates = [`${places.hooks}/${driver}`, `${places.hooks}/${driver}.d/${besideName}`];
      const path = candidates.find((one) => ['current', 'ours'].includes(hookState(root, one, client)));
      return path === undefined ? [] : [{ driver, path }];
    });
    const findings: Finding[] = installed.map(({ path }) => {
      const mode = lstatSync(below(root, path)).mode;
      if ((mode & 0o111) !== 0o111)
        return fail(check, `'${path}' is not executable, so libvirt skips it`, `chmod 755 ${path}`);
      if (hookState(root, path, client) === 'ours') {
        return warn(check, `'${path}' is from another release`, 'run hookvisor install');
      }
      return ok(check, `'${path}' is the ${client.kind} client of this release`);
    });
    const doubled = installed.filter(({ driver }) => {
      const { main, beside } = found.find((one) => one.driver === driver) ?? { main: 'absent', beside: 'absent' };
      return ['current', 'ours'].includes(main) && ['current', 'ours'].includes(beside);
    });
    for (const { driver } of doubled) {
      const beside = `${places.hooks}/${driver}.d/${besideName}`;
      findings.push(warn(check, `'${driver}' calls the client twice, also as '${beside}'`, `rm ${beside}`));
    }
    if (installed.length === 0)
      findings.push(fail(check, 'no hook is installed, so libvirt does not call Hookvisor', 'run hookvisor install'));
    return { findings, installed };
  } catch (error) {
    if (!(error instanceof HookvisorError)) throw error;
    return { findings: [fail(check, messageOf(error), 'correct this')], installed: [] };
  }
}

import type { z } from 'zod';
import { askStatus } from '../../ask-status.js';
import { statusSchema } from '../../../contract/status.js';
import { HookvisorError, messageOf } from '../../../contract/errors.js';
import { oneLine } from '../../../contract/text.js';
import { version } from '../../../runtime/version.js';
import { fail, ok, warn, type Finding } from './finding.js';

const timeoutMs = 5_000;

/** What is looked at: a runtime of another release is to be recognised, whatever else has changed. */
const looked = statusSchema.pick({ version: true, pid: true, journal: true, reloads: true });

/** Checks that the runtime answers, is of this release, accepted its last configuration and recorded every event. */
export async function checkRuntime(socket: string): Promise<Finding[]> {
  const check = 'runtime';
  let status: z.infer<typeof looked>;
  try {
    ({ status } = await askStatus({ socket, timeoutMs }, looked));
  } catch (error) {
    if (error instanceof HookvisorError && error.code === 'protocol') {
      return [fail(check, 'its status cannot be read', 'restart it: systemctl restart hookvisor')];
    }
    const advice = "run 'systemctl enable --now hookvisor.socket hookvisor.service', then 'journalctl -u hookvisor'";
    return [fail(check, oneLine(messageOf(error), 400), advice)];
  }
  const { pid, version: running, journal, reloads } = status;
  const findings = [ok(check, `it answers (version ${running}, pid ${pid})`)];
  if (running !== version) {
    findings.push(
      warn(check, `it runs version ${running}, but this command is version ${version}`, 'systemctl restart hookvisor'),
    );
  }
  if (reloads.lastError !== null) {
    const found = `it rejected the last reload and keeps an older configuration: ${oneLine(reloads.lastError, 300)}`;
    findings.push(warn(check, found, "correct the configuration, then 'hookvisor reload'"));
  }
  if (journal !== null && journal.unrecorded > 0) {
    findings.push(
      warn(check, `${journal.unrecorded} events were answered but not recorded`, 'check its log and free disk space'),
    );
  }
  return findings;
}

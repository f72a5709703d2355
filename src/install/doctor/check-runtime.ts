import { z } from 'zod';
import { askRuntime } from '../../daemon/remote.js';
import { messageOf } from '../../errors.js';
import { oneLine } from '../../text.js';
import { version } from '../../version.js';
import { fail, ok, warn, type Finding } from './finding.js';

const timeoutMs = 5_000;

const statusSchema = z.object({
  status: z.object({
    version: z.string(),
    pid: z.number(),
    journal: z.object({ unrecorded: z.number() }).nullable(),
    reloads: z.object({ lastError: z.string().nullable() }),
  }),
});

/** Checks that the runtime answers, is of this release, accepted its last configuration and recorded every event. */
export async function checkRuntime(socket: string): Promise<Finding[]> {
  const check = 'runtime';
  let head: unknown;
  try {
    head = (await askRuntime({ socket, command: { command: 'status' }, timeoutMs })).head;
  } catch (error) {
    const advice = "run 'systemctl enable --now hookvisor.socket hookvisor.service', then 'journalctl -u hookvisor'";
    return [fail(check, oneLine(messageOf(error), 400), advice)];
  }
  const parsed = statusSchema.safeParse(head);
  if (!parsed.success) return [fail(check, 'its status cannot be read', 'run systemctl restart hookvisor')];
  const { pid, version: running, journal, reloads } = parsed.data.status;
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

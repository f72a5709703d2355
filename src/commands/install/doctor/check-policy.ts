import { accessSync, constants } from 'node:fs';
import { readShortFile } from '../../../client/short-file.js';
import type { Config } from '../../../runtime/config/config.js';
import { mostDeadlineMs, parseUnreachablePolicy, policyBytes } from '../../../contract/unreachable-policy.js';
import { below, places } from '../places.js';
import { fail, ok, warn, type Finding } from './finding.js';

const check = 'policy';
const file = places.unreachable;

/** Checks that `/etc/hookvisor/unreachable` is valid and that its deadline exceeds that of the longest chain. */
export function checkPolicy(root: string, config: Config | null): Finding[] {
  let bytes: Buffer;
  try {
    ({ bytes } = readShortFile(below(root, file), policyBytes));
  } catch {
    return [warn(check, `'${file}' cannot be read, so an unreachable runtime denies`, 'run hookvisor install')];
  }
  const { action, script, deadlineMs, problem } = parseUnreachablePolicy(bytes);
  if (problem !== null) {
    const advice = `write one line 'deny', 'allow' or 'script /path', and one line 'deadline SECONDS' if you need it`;
    return [fail(check, `'${file}' ${problem}, so an unreachable runtime denies`, advice)];
  }
  const seconds = deadlineMs / 1_000;
  const policy = action === 'script' ? `script ${script}` : action;
  const findings = [ok(check, `an unreachable runtime means '${policy}', after at most ${seconds} s`)];
  if (action === 'script' && root === '/' && !isExecutable(script)) {
    findings.push(
      fail(
        check,
        `the script '${script}' is not executable, so an unreachable runtime denies`,
        `create it, or run chmod 755 on it`,
      ),
    );
  }
  const longest = config === null ? 0 : longestChainSeconds(config);
  if (longest > seconds) {
    const found = `a chain of handlers may take ${longest} s, but the client waits ${seconds} s`;
    const wanted = Math.ceil(longest) + 10;
    const deadline = wanted * 1_000 <= mostDeadlineMs ? `write 'deadline ${wanted}' into ${file}, or ` : '';
    findings.push(warn(check, found, `${deadline}shorten the deadlines of handlers`));
  }
  return findings;
}

/** Returns the maximum seconds that the handlers of one event may take, fallbacks included, over all drivers. */
function longestChainSeconds({ handlers, routes }: Config): number {
  const drivers = ['qemu', 'lxc', 'libxl', 'bhyve', 'network', 'daemon'];
  const kindOf = (driver: string): string => (driver === 'network' || driver === 'daemon' ? driver : 'domain');
  const cost = (name: string): number => {
    const handler = handlers.get(name);
    if (handler === undefined) return 0;
    const { failurePolicy, limits } = handler;
    return limits.deadlineMs + (failurePolicy.policy === 'fallback' ? cost(failurePolicy.handler) : 0);
  };
  const chains = drivers.map((driver) => {
    const matching = routes.filter(
      ({ match }) => (match.driver?.includes(driver) ?? true) && (match.kind?.includes(kindOf(driver)) ?? true),
    );
    const names = new Set(matching.flatMap((route) => route.handlers));
    return [...names].reduce((sum, name) => sum + cost(name), 0);
  });
  return Math.max(0, ...chains) / 1_000;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

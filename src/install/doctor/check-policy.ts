import { accessSync, constants, readFileSync } from 'node:fs';
import type { Config } from '../../config/config.js';
import { below, places } from '../places.js';
import { clientDeadlineSeconds } from '../templates.js';
import { fail, ok, warn, type Finding } from './finding.js';

const check = 'policy';
const file = places.unreachable;

/** Checks that `/etc/hookvisor/unreachable` is valid and that its deadline exceeds that of the longest chain. */
export function checkPolicy(root: string, config: Config | null): Finding[] {
  let text: string;
  try {
    text = readFileSync(below(root, file), 'utf8');
  } catch {
    return [warn(check, `'${file}' cannot be read, so an unreachable runtime denies`, 'run hookvisor install')];
  }
  const lines = text.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const deadlines = said.filter((line) => /^deadline\s/u.test(line));
  const policies = said.filter((line) => !/^deadline(?:\s|$)/u.test(line));
  const seconds =
    deadlines[0] === undefined ? clientDeadlineSeconds : Number(deadlines[0].replace(/^deadline\s+/u, ''));
  const [policy] = policies;
  const understood = policy !== undefined && /^(?:deny|allow|script\s+\/.*)$/u.test(policy);
  if (
    !understood ||
    policies.length > 1 ||
    deadlines.length > 1 ||
    !(seconds > 0) ||
    said.length !== policies.length + deadlines.length
  ) {
    const advice = `write one line 'deny', 'allow' or 'script /path', and at most one line 'deadline SECONDS'`;
    return [fail(check, `'${file}' is not valid, so an unreachable runtime denies`, advice)];
  }
  const findings = [ok(check, `an unreachable runtime means '${policy}', after at most ${seconds} s`)];
  const script = /^script\s+(.*)$/u.exec(policy)?.[1];
  if (script !== undefined && root === '/' && !isExecutable(script)) {
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
    findings.push(
      warn(
        check,
        found,
        `write 'deadline ${Math.ceil(longest) + 10}' into ${file}, or shorten the deadlines of handlers`,
      ),
    );
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

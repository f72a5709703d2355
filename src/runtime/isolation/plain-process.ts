import { isRoot, withoutPrivileges } from './drop-privileges.js';
import type { Mechanism, Ways } from './mechanism.js';
import { lacksOfLimits, limited } from './rlimits.js';
import { findTool } from '../find-tool.js';

const bare: Mechanism = {
  name: 'process',
  filter: null,
  lacks: ['no-new-privileges', 'dies-with-runtime', 'bounded-resources'],
  wrap: ({ command }) => command,
};

/** Runs the process as the same user and without namespaces. Works everywhere. */
export function plainProcess(): Ways {
  const setpriv = findTool('setpriv');
  if (setpriv === null) return [bare];
  // Only root has capabilities to drop, and may drop the bounding set.
  const drop = isRoot() ? withoutPrivileges : ['--no-new-privs'];
  const apart: Mechanism = {
    name: 'process',
    filter: null,
    lacks: lacksOfLimits('shared'),
    wrap: ({ command, limits }) => [
      ...[setpriv, '--pdeathsig', 'KILL', ...drop, '--'],
      ...limited(limits, 'shared'),
      ...command,
    ],
  };
  return [apart, bare];
}

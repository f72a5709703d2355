import { asUser, isRoot, mortal, userChoices, withoutPrivileges } from './drop-privileges.js';
import type { UserChoice } from './drop-privileges.js';
import type { Mechanism, Ways } from './mechanism.js';
import { lacksOfLimits, limited } from './rlimits.js';
import { findTool } from '../find-tool.js';

/** Isolates with a separate user, without namespaces. */
export function changeUser(): Ways {
  if (!isRoot()) return { reason: 'only root can start a process as another user; run the runtime as root' };
  const setpriv = findTool('setpriv');
  if (setpriv === null) return { reason: 'setpriv is not installed; apt install util-linux' };
  const [own, shared] = userChoices;
  return [asAnother(setpriv, own), asAnother(setpriv, shared)];
}

function asAnother(setpriv: string, { users, pick }: UserChoice): Mechanism {
  return {
    name: 'user',
    filter: null,
    lacks: [...lacksOfLimits(users), ...(users === 'own' ? [] : (['own-user'] as const))],
    wrap: ({ command, limits }) => [
      ...[setpriv, ...asUser(pick()), ...withoutPrivileges, '--'],
      ...[setpriv, ...mortal],
      ...limited(limits, users),
      ...command,
    ],
  };
}

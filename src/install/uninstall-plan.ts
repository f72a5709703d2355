import { lstatSync } from 'node:fs';
import { HookvisorError } from '../errors.js';
import { hookState, readClient } from './client-file.js';
import { isAsWritten } from './install-plan.js';
import { readManifest, type AdoptedHook } from './manifest.js';
import { assertBelow, below, places } from './places.js';
import type { Step } from './step.js';

export interface UninstallPlan {
  /** From then on libvirt asks nobody, or its own hooks again. */
  readonly hooks: readonly Step[];
  /** To be done when the runtime is stopped. */
  readonly rest: readonly Step[];
  readonly notes: readonly string[];
}

/**
 * Makes the plan that takes an installation away and puts back what was there; changes nothing. What the administrator has
 * changed since is left and noted. Throws HookvisorError `usage` when a hook cannot go back to its place.
 */
export function planUninstall(root: string): UninstallPlan {
  const manifest = readManifest(root);
  if (manifest === null) return { hooks: [], rest: [], notes: [] };
  const client = readClient();
  const notes: string[] = [];
  const isHook = (path: string): boolean => path.startsWith(`${places.hooks}/`);
  const back = manifest.adopted.filter((hook) => isThere(root, hook.to));
  const backAt = new Set(back.map(({ from }) => from));

  for (const hook of back) {
    const { from } = hook;
    if (hookState(root, from, client) === 'foreign' && !isOriginal(root, hook)) {
      throw new HookvisorError(
        'usage',
        `Cannot put '${from}' back: something else is there now; move that away and run it again`,
        { fields: { path: from } },
      );
    }
  }
  for (const { from, to } of manifest.adopted) {
    if (!backAt.has(from) && !isThere(root, from)) notes.push(`'${to}' is gone, so '${from}' cannot be put back`);
  }

  const hooks: Step[] = back.map((hook) => ({ step: 'restore', ...restored(hook) }));
  const rest: Step[] = [];
  for (const { path } of manifest.files) {
    if (backAt.has(path) || !isThere(root, path)) continue;
    const ours = isHook(path)
      ? ['current', 'ours'].includes(hookState(root, path, client))
      : isAsWritten(root, path, manifest);
    if (ours) (isHook(path) ? hooks : rest).push({ step: 'remove', path });
    else notes.push(`'${path}' has been changed since and is left; remove it yourself if you do not need it`);
  }
  rest.push({ step: 'remove', path: places.manifest });
  rest.push(...manifest.folders.toReversed().map((path): Step => ({ step: 'remove-empty', path })));
  for (const step of [...hooks, ...rest]) assertBelow(root, 'path' in step ? step.path : step.to);
  notes.push('the journal in /var/log/hookvisor and the cache in /var/cache/hookvisor are left');
  return { hooks, rest, notes };
}

function restored({
  from,
  to,
  target,
  uid,
  gid,
  mtimeMs,
}: AdoptedHook): Omit<Extract<Step, { step: 'restore' }>, 'step'> {
  return { from: to, to: from, target, stamp: { uid, gid, mtimeMs } };
}

/** Whether the hook never left its place: an installation was interrupted. */
function isOriginal(root: string, { from, sha256, target }: AdoptedHook): boolean {
  return isAsWritten(root, from, {
    version: 1,
    files: [{ path: from, sha256, target }],
    folders: [],
    adopted: [],
    toldMs: null,
  });
}

function isThere(root: string, path: string): boolean {
  return lstatSync(below(root, path), { throwIfNoEntry: false }) !== undefined;
}

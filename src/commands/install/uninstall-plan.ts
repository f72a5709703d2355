import { lstatSync } from 'node:fs';
import { HookvisorError } from '../../contract/errors.js';
import { hookState, readClient } from './client-file.js';
import { isAsWritten } from './install-plan.js';
import { readManifest, type AdoptedHook } from './manifest.js';
import { assertBelow, below, places } from './places.js';
import type { Step } from './step.js';

export interface UninstallPlan {
  /** After these steps libvirt runs no hook, or its former hooks. */
  readonly hooks: readonly Step[];
  /** Steps for when the runtime has stopped. */
  readonly rest: readonly Step[];
  readonly notes: readonly string[];
}

/**
 * Plans how to remove an installation and restore what was there before; changes nothing. Files that the administrator
 * has changed since are kept and noted. Throws HookvisorError `usage` when a hook cannot be restored.
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
        `Cannot restore '${from}': another file is there now; move it away and run the command again`,
        { fields: { path: from } },
      );
    }
  }
  for (const { from, to } of manifest.adopted) {
    if (!backAt.has(from) && !isThere(root, from)) notes.push(`'${to}' is missing, so '${from}' cannot be restored`);
  }

  const hooks: Step[] = back.map((hook) => ({ step: 'restore', ...restored(hook) }));
  const rest: Step[] = [];
  for (const { path } of manifest.files) {
    if (backAt.has(path) || !isThere(root, path)) continue;
    const ours = isHook(path)
      ? ['current', 'ours'].includes(hookState(root, path, client))
      : isAsWritten(root, path, manifest);
    if (ours) (isHook(path) ? hooks : rest).push({ step: 'remove', path });
    else
      notes.push(`'${path}' was changed after the installation and is kept; remove it yourself if you do not need it`);
  }
  rest.push({ step: 'remove', path: places.manifest });
  rest.push(...manifest.folders.toReversed().map((path): Step => ({ step: 'remove-empty', path })));
  for (const step of [...hooks, ...rest]) assertBelow(root, 'path' in step ? step.path : step.to);
  notes.push('the journal in /var/log/hookvisor and the cache in /var/cache/hookvisor are kept');
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

/** Tells whether the hook was never moved, because an installation was interrupted. */
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

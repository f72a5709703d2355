import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from '../../contract/error-code.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { writeAtomic } from '../../runtime/files/write-atomic.js';
import { assertBelow, below } from './places.js';
import { describeStep, type Stamp, type Step } from './step.js';

/**
 * Executes the steps of a plan in order. Each step is atomic: readers of a path see either the old or the new file in
 * full. Throws HookvisorError `install` at the first step that fails; running it again resumes from there.
 */
export function applySteps(root: string, steps: readonly Step[]): void {
  for (const step of steps) {
    try {
      applyStep(root, step);
    } catch (error) {
      if (error instanceof HookvisorError) throw error;
      throw new HookvisorError(
        'install',
        `Cannot ${describeStep(step).replace(/ +/gu, ' ')}: ${messageOf(error)}; correct this and run the command again; it resumes from here`,
        { cause: error },
      );
    }
  }
}

function applyStep(root: string, step: Step): void {
  const at = (path: string): string => {
    assertBelow(root, path);
    return below(root, path);
  };
  switch (step.step) {
    case 'folder':
      makeFolder(at(step.path), step.mode);
      return;
    case 'write':
      mkdirSync(dirname(at(step.path)), { recursive: true, mode: 0o755 });
      writeAtomic(at(step.path), step.bytes, { mode: step.mode });
      return;
    case 'link':
      replace(at(step.path), (temporary) => {
        symlinkSync(step.target, temporary);
      });
      return;
    case 'keep':
      replace(at(step.to), (temporary) => {
        sameFile({ from: at(step.from), to: temporary, target: step.target });
      });
      return;
    case 'restore': {
      const from = at(step.from);
      replace(at(step.to), (temporary) => {
        sameFile({ from, to: temporary, target: step.target });
        if (step.target !== null) stampAs(temporary, step.stamp);
      });
      rmSync(from);
      return;
    }
    case 'remove':
      if (step.keptAs !== undefined) assertKept(at(step.path), at(step.keptAs));
      rmSync(at(step.path), { force: true });
      return;
    case 'remove-empty':
      removeEmpty(at(step.path));
  }
}

/** Guards against losing a file: before it is removed, its copy must exist in another folder. */
function assertKept(path: string, kept: string): void {
  const elsewhere = realpathSync(dirname(kept)) !== realpathSync(dirname(path));
  if (elsewhere && lstatSync(kept, { throwIfNoEntry: false }) !== undefined) return;
  throw new HookvisorError('install', `Cannot remove '${path}': it has no copy at '${kept}'; run the command again`);
}

function makeFolder(path: string, mode: number): void {
  if (mkdirSync(path, { recursive: true, mode: 0o755 }) !== undefined) chmodSync(path, mode);
}

/** Creates something new at `path` by renaming it into place. */
function replace(path: string, make: (temporary: string) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    make(temporary);
    renameSync(temporary, path);
    // Renaming one hard link over another of the same file does nothing and leaves both.
    rmSync(temporary, { force: true });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Creates a hard link; across file systems, a copy with the same content, mode, owner and time. */
function sameFile({ from, to, target }: { from: string; to: string; target: string | null }): void {
  const found = lstatSync(from);
  const stamp: Stamp = { uid: found.uid, gid: found.gid, mtimeMs: found.mtimeMs };
  if (target !== null) {
    symlinkSync(target, to);
    stampAs(to, stamp);
    return;
  }
  try {
    linkSync(from, to);
  } catch {
    // cp preserves what Node cannot: nanoseconds, access control lists, security contexts.
    if (spawnSync('cp', ['-a', '-T', '--', from, to], { timeout: 60_000 }).status === 0) return;
    rmSync(to, { force: true });
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    stampAs(to, stamp);
    // The mode comes after the owner: changing the owner clears the set-user-ID bit.
    chmodSync(to, found.mode & 0o7777);
  }
}

function stampAs(path: string, { uid, gid, mtimeMs }: Stamp): void {
  const now = lstatSync(path);
  if (now.uid !== uid || now.gid !== gid) lchownSync(path, uid, gid);
  lutimesSync(path, mtimeMs / 1_000, mtimeMs / 1_000);
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'ENOENT', 'EEXIST', 'EBUSY')) throw error;
  }
}

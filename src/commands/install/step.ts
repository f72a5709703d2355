import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { oneLine } from '../../contract/text.js';
import { below } from './places.js';

/** Owner and modification time of a file, preserved when it is moved. */
export interface Stamp {
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

/** One change of a plan. Paths are those of the target system, without the root folder. */
export type Step =
  | { readonly step: 'folder'; readonly path: string; readonly mode: number }
  | { readonly step: 'write'; readonly path: string; readonly mode: number; readonly bytes: Buffer }
  | { readonly step: 'link'; readonly path: string; readonly target: string }
  /** Makes `to` the same file as `from`; `target` is the target of a symbolic link. */
  | { readonly step: 'keep'; readonly from: string; readonly to: string; readonly target: string | null }
  /** Moves `from` over `to`; a symbolic link is recreated with its old target and stamp. */
  | {
      readonly step: 'restore';
      readonly from: string;
      readonly to: string;
      readonly target: string | null;
      readonly stamp: Stamp;
    }
  /** With `keptAs`, only when that file has the same content. */
  | { readonly step: 'remove'; readonly path: string; readonly keptAs?: string }
  /** Removes a folder if it is empty. */
  | { readonly step: 'remove-empty'; readonly path: string };

/** Describes a step in one line. */
export function describeStep(step: Step): string {
  switch (step.step) {
    case 'folder':
      return `create ${shown(step.path)}/`;
    case 'write':
      return `write  ${shown(step.path)} (${step.bytes.length} bytes, mode ${step.mode.toString(8)})`;
    case 'link':
      return `link   ${shown(step.path)} to ${shown(step.target)}`;
    case 'keep':
      return `keep   ${shown(step.from)} as ${shown(step.to)}`;
    case 'restore':
      return `move   ${shown(step.from)} back to ${shown(step.to)}`;
    case 'remove':
      return `remove ${shown(step.path)}`;
    case 'remove-empty':
      return `remove ${shown(step.path)}/ if it is empty`;
  }
}

/** Tells whether a step has nothing left to change. */
export function isDone(root: string, step: Step): boolean {
  const real = 'path' in step ? below(root, step.path) : below(root, step.to);
  const found = lstatSync(real, { throwIfNoEntry: false });
  switch (step.step) {
    case 'folder':
      return found?.isDirectory() ?? false;
    case 'write':
      return found?.isFile() === true && (found.mode & 0o7777) === step.mode && readFileSync(real).equals(step.bytes);
    case 'link':
      return found?.isSymbolicLink() === true && readlinkSync(real) === step.target;
    case 'keep':
      return found !== undefined && isSame(real, below(root, step.from), step.target);
    case 'restore':
      return lstatSync(below(root, step.from), { throwIfNoEntry: false }) === undefined;
    case 'remove':
    case 'remove-empty':
      return found === undefined;
  }
}

function shown(path: string): string {
  return oneLine(path, 300);
}

/** Tells whether two paths are equal: links with the same target, or files with the same content. */
function isSame(kept: string, original: string, target: string | null): boolean {
  const found = lstatSync(kept);
  if (target !== null) return found.isSymbolicLink() && readlinkSync(kept) === target;
  const source = lstatSync(original, { throwIfNoEntry: false });
  if (source === undefined || !found.isFile()) return false;
  return source.mode === found.mode && readFileSync(kept).equals(readFileSync(original));
}

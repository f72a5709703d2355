import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve, dirname } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { hookState, type ClientFile, type HookState, sha256Of } from './client-file.js';
import type { AdoptedHook } from './manifest.js';
import { below, besideName, type HookName, places } from './places.js';

/** The hooks of one driver as they are. */
export interface FoundHook {
  readonly driver: HookName;
  /** At hooks/DRIVER. */
  readonly main: HookState;
  /** At hooks/DRIVER.d/50-hookvisor. */
  readonly beside: HookState;
  /** Executables that are not ours, in the order in which libvirt runs them. */
  readonly foreign: readonly ForeignHook[];
}

export interface ForeignHook {
  readonly path: string;
  /** libvirt skips files that are not executable. */
  readonly executable: boolean;
}

/** Examines the hooks of some drivers. Throws HookvisorError `usage` for what cannot be handled safely. */
export function surveyHooks(options: { root: string; drivers: readonly HookName[]; client: ClientFile }): FoundHook[] {
  const { root, drivers, client } = options;
  refuseUnlessFolder(root, places.hooks);
  return drivers.map((driver) => {
    const main = `${places.hooks}/${driver}`;
    const beside = `${main}.d/${besideName}`;
    refuseUnlessFolder(root, `${main}.d`);
    if (lstatSync(below(root, main), { throwIfNoEntry: false })?.isDirectory() === true) {
      throw refusal(main, 'it is a folder, but libvirt expects a program there; move it away');
    }
    const state = hookState(root, main, client);
    const inFolder = foldersFiles(root, `${main}.d`).filter((path) => hookState(root, path, client) === 'foreign');
    const foreign = [...(state === 'foreign' ? [main] : []), ...inFolder];
    return {
      driver,
      main: state,
      beside: hookState(root, beside, client),
      foreign: foreign.map((path) => ({ path, executable: isExecutable(below(root, path)) })),
    };
  });
}

/** Describes a hook for the manifest, before it is moved elsewhere. */
export function adoptable(root: string, { path, executable }: ForeignHook): AdoptedHook {
  const real = below(root, path);
  const found = lstatSync(real);
  const link = found.isSymbolicLink() ? readlinkSync(real) : null;
  return {
    from: path,
    to: join(places.adopted, path.slice(places.hooks.length)),
    target: link,
    sha256: link === null ? sha256Of(readFileSync(real)) : null,
    mode: found.mode & 0o7777,
    runs: executable,
    uid: found.uid,
    gid: found.gid,
    mtimeMs: found.mtimeMs,
  };
}

/** Returns the target of a link that is moved: a relative target counts from its old folder. */
export function absoluteTarget({ from, target }: AdoptedHook): string | null {
  return target === null ? null : resolve(dirname(from), target);
}

/** Lists everything in the hooks folder, so that scripts still find their neighbours; returns paths of the system. */
export function otherEntries(root: string, folder: string, taken: ReadonlySet<string>): string[] {
  return names(below(root, folder))
    .map((name) => `${folder}/${name}`)
    .filter((path) => !taken.has(path));
}

/** Lists the files, and links to files, in the folder of a hook, in byte order. */
function foldersFiles(root: string, folder: string): string[] {
  return names(below(root, folder))
    .map((name) => `${folder}/${name}`)
    .filter((path) => statSync(below(root, path), { throwIfNoEntry: false })?.isFile() ?? false);
}

function names(real: string): string[] {
  if (lstatSync(real, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(real, { encoding: 'buffer' })
    .sort((a, b) => Buffer.compare(a, b))
    .map((name) => {
      const text = name.toString('utf8');
      if (Buffer.from(text).equals(name)) return text;
      throw refusal(`${real}/${oneLine(text, 100)}`, 'its name is not UTF-8; rename it');
    });
}

function isExecutable(real: string): boolean {
  const found = statSync(real, { throwIfNoEntry: false });
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
}

function refuseUnlessFolder(root: string, path: string): void {
  const found = lstatSync(below(root, path), { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return;
  const what = found.isSymbolicLink() ? 'a symbolic link' : 'not a folder';
  throw refusal(path, `it is ${what}; make it a folder, or remove it`);
}

function refusal(path: string, what: string): HookvisorError {
  return new HookvisorError('usage', `Cannot install hooks at '${oneLine(path, 300)}': ${what}`, { fields: { path } });
}

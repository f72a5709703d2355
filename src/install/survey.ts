import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve, dirname } from 'node:path';
import { HookvisorError } from '../errors.js';
import { oneLine } from '../text.js';
import { hookState, type ClientFile, type HookState, sha256Of } from './client-file.js';
import type { AdoptedHook } from './manifest.js';
import { below, besideName, type HookName, places } from './places.js';

/** What is there of one driver's hooks. */
export interface FoundHook {
  readonly driver: HookName;
  /** At hooks/DRIVER. */
  readonly main: HookState;
  /** At hooks/DRIVER.d/50-hookvisor. */
  readonly beside: HookState;
  /** Other people's executables, in the order in which libvirt runs them. */
  readonly foreign: readonly ForeignHook[];
}

export interface ForeignHook {
  readonly path: string;
  /** libvirt passes over what is not executable. */
  readonly executable: boolean;
}

/** Looks at the hooks of some drivers. Throws HookvisorError `usage` for what cannot be dealt with safely. */
export function surveyHooks(options: { root: string; drivers: readonly HookName[]; client: ClientFile }): FoundHook[] {
  const { root, drivers, client } = options;
  refuseUnlessFolder(root, places.hooks);
  return drivers.map((driver) => {
    const main = `${places.hooks}/${driver}`;
    const beside = `${main}.d/${besideName}`;
    refuseUnlessFolder(root, `${main}.d`);
    if (lstatSync(below(root, main), { throwIfNoEntry: false })?.isDirectory() === true) {
      throw refusal(main, 'it is a folder, and libvirt wants a program there; move it away');
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

/** What the manifest remembers of a hook that is about to be kept elsewhere. */
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

/** Where a link points when it lies elsewhere: a relative target counts from where it was. */
export function absoluteTarget({ from, target }: AdoptedHook): string | null {
  return target === null ? null : resolve(dirname(from), target);
}

/** Everything in the hooks folder, so that a script which looks beside itself still finds it; paths of the system. */
export function otherEntries(root: string, folder: string, taken: ReadonlySet<string>): string[] {
  return names(below(root, folder))
    .map((name) => `${folder}/${name}`)
    .filter((path) => !taken.has(path));
}

/** Files and links to files in a hook's folder, in byte order. */
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
  const what = found.isSymbolicLink() ? 'a symbolic link' : 'no folder';
  throw refusal(path, `it is ${what}; make it a folder, or take it away`);
}

function refusal(path: string, what: string): HookvisorError {
  return new HookvisorError('usage', `Cannot install hooks at '${oneLine(path, 300)}': ${what}`, { fields: { path } });
}

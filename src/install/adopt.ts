import type { AdoptedHook } from './manifest.js';
import { besideName, hookNames, type HookName, places } from './places.js';
import type { Step } from './step.js';
import { adoptable, otherEntries, type FoundHook } from './survey.js';

/** The hooks of one driver that become handlers. */
export function adoptHooks(root: string, { driver, foreign }: FoundHook): { driver: HookName; hook: AdoptedHook }[] {
  const main = `${places.hooks}/${driver}`;
  // In the folder, what libvirt passes over stays where it is; the client takes the main hook's place in any case.
  const taken = foreign.filter(({ path, executable }) => executable || path === main);
  return taken.map((one) => ({ driver, hook: adoptable(root, one) }));
}

/** Whose hook it was. */
export function driverOf({ from }: AdoptedHook): HookName {
  const first = from
    .slice(places.hooks.length + 1)
    .split('/')[0]
    ?.replace(/\.d$/u, '');
  return hookNames.find((name) => name === first) ?? 'daemon';
}

/** The main hook, then those of its folder in byte order. */
export function inLibvirtsOrder(hooks: readonly { driver: HookName; hook: AdoptedHook }[]): typeof hooks {
  const key = ({ hook }: { hook: AdoptedHook }): Buffer => Buffer.from(hook.from);
  const rank = ({ driver }: { driver: HookName }): number => hookNames.indexOf(driver);
  return hooks.filter(({ hook }) => hook.runs).toSorted((a, b) => rank(a) - rank(b) || Buffer.compare(key(a), key(b)));
}

/**
 * Links to what stays in the hooks folders, for scripts that look beside themselves by `dirname $0`. A hook's own folder is never
 * linked as a whole: what is adopted later goes there.
 */
export function neighbours(root: string, adopted: readonly AdoptedHook[]): Extract<Step, { step: 'link' }>[] {
  if (adopted.length === 0) return [];
  const taken = new Set([
    ...adopted.map(({ from }) => from),
    ...hookNames.flatMap((name) => [`${places.hooks}/${name}`, `${places.hooks}/${name}.d`]),
  ]);
  const drivers = new Set(adopted.map(driverOf));
  const folders = [places.hooks, ...[...drivers].map((driver) => `${places.hooks}/${driver}.d`)];
  return folders
    .flatMap((folder) => otherEntries(root, folder, taken))
    .filter((path) => !path.endsWith(`/${besideName}`))
    .map((path) => ({ step: 'link', path: places.adopted + path.slice(places.hooks.length), target: path }));
}

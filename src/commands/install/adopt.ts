import type { AdoptedHook } from './manifest.js';
import { besideName, hookNames, type HookName, places } from './places.js';
import type { Step } from './step.js';
import { adoptable, otherEntries, type FoundHook } from './survey.js';

/** Lists the hooks of one driver that become handlers. */
export function adoptHooks(root: string, { driver, foreign }: FoundHook): { driver: HookName; hook: AdoptedHook }[] {
  const main = `${places.hooks}/${driver}`;
  // What libvirt skips in the folder stays there; the client always takes the place of the main hook.
  const taken = foreign.filter(({ path, executable }) => executable || path === main);
  return taken.map((one) => ({ driver, hook: adoptable(root, one) }));
}

/** The driver of the hook. */
export function driverOf({ from }: AdoptedHook): HookName {
  const first = from
    .slice(places.hooks.length + 1)
    .split('/')[0]
    ?.replace(/\.d$/u, '');
  return hookNames.find((name) => name === first) ?? 'daemon';
}

/** Lists the main hook, then those of its folder in byte order. */
export function inLibvirtsOrder(hooks: readonly { driver: HookName; hook: AdoptedHook }[]): typeof hooks {
  const key = ({ hook }: { hook: AdoptedHook }): Buffer => Buffer.from(hook.from);
  const rank = ({ driver }: { driver: HookName }): number => hookNames.indexOf(driver);
  return hooks.filter(({ hook }) => hook.runs).toSorted((a, b) => rank(a) - rank(b) || Buffer.compare(key(a), key(b)));
}

/**
 * Plans links to what stays in the hooks folders, for scripts that find their neighbours by `dirname $0`. The folder of
 * a hook is never linked as a whole: hooks adopted later go there.
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

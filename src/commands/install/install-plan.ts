import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { HookvisorError } from '../../contract/errors.js';
import { adoptHooks, driverOf, inLibvirtsOrder, neighbours } from './adopt.js';
import { adoptedConfig, clientDeadlineFor, nameHandlers, type AdoptedHandler } from './adopted-config.js';
import { readClient, sha256Of, type ClientFile } from './client-file.js';
import { manifestBytes, readManifest, type AdoptedHook, type Manifest } from './manifest.js';
import { assertBelow, below, besideName, type HookName, places } from './places.js';
import { isDone, type Step } from './step.js';
import { absoluteTarget, surveyHooks, type FoundHook } from './survey.js';
import { clientDeadlineSeconds, fillTemplate } from './templates.js';

export interface InstallOptions {
  /** `/`, or the root folder of another system. */
  readonly root: string;
  readonly drivers: readonly HookName[];
  /** Turns existing hooks into handlers. */
  readonly adopt: boolean;
  /** Lets scripts run with full root rights in the service. */
  readonly scripts: boolean;
  /** Whether libvirt runs the scripts in hooks/DRIVER.d (since 6.5.0); null when unknown. */
  readonly runsFolders: boolean | null;
}

/** Everything that an installation will change. */
export interface InstallPlan {
  /** Steps before the runtime starts. */
  readonly prepare: readonly Step[];
  /** Steps when the runtime runs: after them libvirt calls it. */
  readonly hooks: readonly Step[];
  /** Notes for the administrator, one line each. */
  readonly notes: readonly string[];
  readonly adopted: readonly AdoptedHandler[];
  /** Drivers whose hook is new to libvirt, which must reload to find it. */
  readonly unknownToLibvirt: readonly HookName[];
}

type Placing = Extract<Step, { path: string }>;

/**
 * Plans an installation; changes nothing. Steps that are already done are left out, so the plan of a second run is
 * empty. Throws HookvisorError `usage` when a file that Hookvisor did not write is in the way.
 */
export function planInstall(options: InstallOptions): InstallPlan {
  const { root, drivers, adopt } = options;
  const client = readClient();
  const before = readManifest(root);
  const found = surveyHooks({ root, drivers, client });
  const fresh = adopt ? found.flatMap((hook) => adoptHooks(root, hook)) : [];
  const takenOver = new Set(fresh.map(({ hook }) => hook.from));
  const earlier = (before?.adopted ?? []).filter(({ from }) => !takenOver.has(from));
  const known = earlier.map((hook) => ({ driver: driverOf(hook), hook }));
  const adopted = nameHandlers(inLibvirtsOrder([...known, ...fresh]));

  const files: Placing[] = [
    ...(client.kind === 'node' ? [write(places.nodeClient, client.bytes, 0o755)] : []),
    write(places.unreachable, fillTemplate('unreachable', Math.max(clientDeadlineSeconds, clientDeadlineFor(adopted)))),
    write(places.service, fillTemplate('hookvisor.service')),
    write(places.socketUnit, fillTemplate('hookvisor.socket')),
    ...(options.scripts || adopted.length > 0 ? [write(places.scriptsDropIn, fillTemplate('50-scripts.conf'))] : []),
    write(places.config, adopted.length > 0 ? adoptedConfig(adopted) : fillTemplate('hookvisor.yaml'), 0o600),
    ...neighbours(
      root,
      fresh.map(({ hook }) => hook),
    ),
  ];
  const hooks = found.map((hook) => hookStep({ hook, client, takenOver, options }));
  const wanted = [...files, ...hooks.map(({ step }) => step)];
  for (const step of wanted) assertBelow(root, step.path);

  const { mine, kept } = sortOut({ root, before, files, adopting: fresh.length > 0 });
  const manifest = manifestOf({
    root,
    before,
    fresh: fresh.map(({ hook }) => hook),
    steps: [...mine, ...hooks.map(({ step }) => step)],
  });
  const unfinished = (step: Step): boolean => !isDone(root, step);
  const manifestStep = write(places.manifest, manifestBytes(manifest), 0o600);
  const moves = fresh.map(({ hook }): Step => ({
    step: 'keep',
    from: hook.from,
    to: hook.to,
    target: absoluteTarget(hook),
  }));
  // The manifest comes first: whatever fails later, uninstall knows what to restore.
  const prepare = [manifestStep, ...moves, ...mine].filter(unfinished);
  const gone = fresh.filter(({ driver, hook }) => hook.from !== `${places.hooks}/${driver}`);
  const placedAt = new Set(hooks.map(({ step }) => step.path));
  const removals = gone.map(({ hook }): Step => ({ step: 'remove', path: hook.from, keptAs: hook.to }));
  const mustFollow = hooks.filter(({ step, state }) => state !== 'current' || takenOver.has(step.path));
  return {
    prepare,
    hooks: [
      ...mustFollow.map(({ step }) => step),
      ...removals.filter((step) => !('path' in step && placedAt.has(step.path))),
    ],
    notes: [...kept, ...hooks.flatMap(({ note }) => note ?? [])],
    adopted,
    unknownToLibvirt: hooks.filter(({ isNew }) => isNew).map(({ driver }) => driver),
  };
}

function write(path: string, bytes: Buffer, mode = 0o644): Placing & { step: 'write' } {
  return { step: 'write', path, mode, bytes };
}

interface HookStep {
  readonly driver: HookName;
  readonly step: Placing;
  readonly state: FoundHook['main'];
  readonly isNew: boolean;
  readonly note: string | null;
}

function hookStep(given: {
  hook: FoundHook;
  client: ClientFile;
  takenOver: ReadonlySet<string>;
  options: InstallOptions;
}): HookStep {
  const { hook, client, takenOver, options } = given;
  const { driver } = hook;
  const main = `${places.hooks}/${driver}`;
  const stays = hook.main === 'foreign' && !takenOver.has(main);
  const path = stays ? `${main}.d/${besideName}` : main;
  const state = stays ? hook.beside : hook.main;
  if (stays && options.runsFolders === false) {
    throw new HookvisorError(
      'usage',
      `Cannot install alongside '${main}': this libvirt does not run scripts in ${driver}.d (6.5.0 and later do); use --adopt`,
    );
  }
  if (stays && state === 'foreign') throw inTheWay(path);
  const step: Placing =
    client.kind === 'native' ? write(path, client.bytes, 0o755) : { step: 'link', path, target: places.nodeClient };
  const note = `'${main}' is kept; the hook client is installed alongside it in ${driver}.d (used by libvirt 6.5.0 and later); --adopt would turn it into a handler`;
  // libvirt remembers for each driver whether there was a hook.
  const isNew = hook.main === 'absent' && hook.beside === 'absent' && hook.foreign.length === 0;
  return { driver, step, state, isNew, note: stays ? note : null };
}

/** Returns the files to write, and a note for each file that the administrator has changed. */
function sortOut(given: { root: string; before: Manifest | null; files: readonly Placing[]; adopting: boolean }): {
  mine: Placing[];
  kept: string[];
} {
  const { root, before, files, adopting } = given;
  const kept: string[] = [];
  const mine = files.filter((step) => {
    if (isDone(root, step) || !exists(root, step.path) || isAsWritten(root, step.path, before)) return true;
    if (step.path === places.config && adopting) {
      throw new HookvisorError(
        'usage',
        `Cannot adopt the hooks: the configuration '${places.config}' already exists; move it away and merge its handlers by hand`,
      );
    }
    const settings: readonly string[] = [places.config, places.unreachable];
    if (!settings.includes(step.path)) throw inTheWay(step.path);
    kept.push(`'${step.path}' already exists and is kept`);
    return false;
  });
  return { mine, kept };
}

function exists(root: string, path: string): boolean {
  return lstatSync(below(root, path), { throwIfNoEntry: false }) !== undefined;
}

/** Tells whether a file is unchanged since an earlier installation wrote it. */
export function isAsWritten(root: string, path: string, manifest: Manifest | null): boolean {
  const placed = manifest?.files.find((file) => file.path === path);
  if (placed === undefined) return false;
  const real = below(root, path);
  const found = lstatSync(real, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() === true) return readlinkSync(real) === placed.target;
  return found?.isFile() === true && sha256Of(readFileSync(real)) === placed.sha256;
}

function manifestOf(given: {
  root: string;
  before: Manifest | null;
  fresh: readonly AdoptedHook[];
  steps: readonly Placing[];
}): Manifest {
  const { root, before, steps } = given;
  const files = new Map((before?.files ?? []).map((file) => [file.path, file]));
  for (const step of steps) {
    if (step.step === 'write') files.set(step.path, { path: step.path, sha256: sha256Of(step.bytes), target: null });
    if (step.step === 'link') files.set(step.path, { path: step.path, sha256: null, target: step.target });
  }
  const adopted = new Map((before?.adopted ?? []).map((hook) => [hook.from, hook]));
  for (const hook of given.fresh) adopted.set(hook.from, hook);
  const folders = new Set(before?.folders ?? []);
  for (const path of [...files.keys(), ...[...adopted.values()].map(({ to }) => to)]) {
    for (let folder = dirname(path); !exists(root, folder); folder = dirname(folder)) folders.add(folder);
  }
  return {
    version: 1,
    files: [...files.values()],
    folders: [...folders].sort(),
    adopted: [...adopted.values()],
    toldMs: before?.toldMs ?? null,
  };
}

function inTheWay(path: string): HookvisorError {
  return new HookvisorError(
    'usage',
    `Cannot install '${path}': a file is there that Hookvisor did not write; move it away`,
    { fields: { path } },
  );
}

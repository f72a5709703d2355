import { settings } from 'hookvisor/guest';

type Names = ReadonlyMap<string, string>;

/** The settings: maps from values on the source host to values on this host; settings.schema.json describes the same. */
export interface Settings {
  readonly bridges: Names;
  /** Files, or folders with everything in them. */
  readonly paths: Names;
  readonly cpuModels: Names;
}

/** Reads the settings. Throws an Error that names the wrong setting and what is expected. */
export function readSettings(): Settings {
  const { bridges, paths, cpuModels, ...unknown } = settings();
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw new Error(`unknown setting '${first}'; expected bridges, paths or cpuModels`);
  const read = {
    bridges: readMap('bridges', bridges, /^[^/]+$/u),
    paths: readMap('paths', paths, /^(?:\/[^/]+)+$/u),
    cpuModels: readMap('cpuModels', cpuModels, /^\S+$/u),
  };
  if (Object.values(read).every(({ size }) => size === 0)) {
    throw new Error('nothing is to be rewritten; set bridges, paths or cpuModels');
  }
  return read;
}

function readMap(key: string, value: unknown, shape: RegExp): Names {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (value === undefined) return new Map();
    throw new Error(`${key} must be a mapping from old to new`);
  }
  const entries = Object.entries(value).map(([from, to]): [string, string] => {
    if (shape.test(from) && typeof to === 'string' && shape.test(to)) return [from, to];
    throw new Error(
      `${key}: '${from}' must be mapped to another one${key === 'paths' ? '; write absolute paths' : ''}`,
    );
  });
  return new Map(entries);
}

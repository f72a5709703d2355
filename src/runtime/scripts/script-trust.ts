import type { HandlerConfig } from '../config/config.js';
import type { Distrust } from '../files/distrust.js';
import { examineTree } from '../files/examine-tree.js';
import type { PathTrust } from '../files/path-trust.js';
import { interpreterOf } from './executable.js';

/** Depth of a tree of scripts: its root, GUEST, OPERATION and SUBOPERATION. */
const treeDepth = 4;
/** An interpreter may be a script itself; the kernel follows this many, see execve(2). */
const mostInterpreters = 5;

/**
 * Returns everything that other users can change of what a script handler runs: the script with its interpreters and
 * theirs, or everything that is in a tree now. Later files in the tree can only come from trusted users.
 */
export async function scriptDistrust(
  { source, layout }: Pick<HandlerConfig, 'source' | 'layout'>,
  trust: PathTrust,
): Promise<Distrust[]> {
  const { distrust, files } = await examineTree(source, layout === 'tree' ? treeDepth : 0, trust);
  return [...distrust, ...(await interpreterDistrust(files, trust, mostInterpreters))];
}

async function interpreterDistrust(files: readonly string[], trust: PathTrust, most: number): Promise<Distrust[]> {
  if (files.length === 0 || most === 0) return [];
  const named = await Promise.all(files.map(interpreterOf));
  const interpreters = [...new Set(named)].filter((path) => path !== null);
  const examined = await Promise.all(interpreters.map((path) => trust.examine(path)));
  // Files that others can change are not read.
  const trusted = examined.filter(({ stats, distrust }) => stats?.isFile() === true && distrust.length === 0);
  const real = trusted.map((one) => one.real);
  return [...examined.flatMap(({ distrust }) => distrust), ...(await interpreterDistrust(real, trust, most - 1))];
}

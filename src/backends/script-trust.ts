import type { HandlerConfig } from '../config/config.js';
import type { Distrust } from '../files/distrust.js';
import { examineTree } from '../files/examine-tree.js';
import type { PathTrust } from '../files/path-trust.js';
import { interpreterOf } from './executable.js';

/** Folders of a tree of scripts: its own, GUEST, OPERATION and SUBOPERATION. */
const treeDepth = 4;

/**
 * Returns everything that others may change of what a script handler runs: the script and the interpreter in its first
 * line, or all of a tree that is there now. What appears in it later was put there by those who may.
 */
export async function scriptDistrust(
  { source, layout }: Pick<HandlerConfig, 'source' | 'layout'>,
  trust: PathTrust,
): Promise<Distrust[]> {
  const { distrust, files } = await examineTree(source, layout === 'tree' ? treeDepth : 0, trust);
  const named = await Promise.all(files.map(interpreterOf));
  const interpreters = [...new Set(named)].filter((path) => path !== null);
  const examined = await Promise.all(interpreters.map((path) => trust.examine(path)));
  return [...distrust, ...examined.flatMap((one) => one.distrust)];
}

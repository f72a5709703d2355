// @ts-check
import { execFileSync } from 'node:child_process';
import { writeHook } from './stage.mjs';

/** What `naming` does, as an administrator would write it in bash. */
const bashNaming = `#!/bin/bash
document=$(cat)
case "$2" in prepare|start|migrate|restore) ;; *) exit 0 ;; esac
[[ "$1" =~ ^[a-z][a-z0-9-]*$ ]] || { echo "the name $1 does not match" >&2; exit 1; }
name=$(xmllint --nonet --xpath 'string(/domain/name)' - <<<"$document") || exit 1
[[ -n "$name" ]] || exit 1
`;

/** The same in Python. */
const pythonNaming = (/** @type {string} */ python) => `#!${python}
import re
import sys
import xml.etree.ElementTree as ElementTree

document = sys.stdin.buffer.read()
if sys.argv[2] in ('prepare', 'start', 'migrate', 'restore'):
    if not re.fullmatch('[a-z][a-z0-9-]*', sys.argv[1]):
        sys.exit('the name does not match')
    if not ElementTree.fromstring(document).findtext('name'):
        sys.exit(1)
`;

/**
 * Writes conventional hook scripts. Skips a tool that is not installed, and prints that it does.
 * @param {import('./stage.mjs').Stage} stage
 * @returns {Promise<Record<string, string>>}
 */
export async function classicHooks(stage) {
  const [bash, xmllint, python] = ['bash', 'xmllint', 'python3'].map(find);
  /** @type {Record<string, string>} */
  const hooks = { sh: await writeHook(stage, 'empty-sh', '#!/bin/sh\n') };
  if (bash) hooks['bash'] = await writeHook(stage, 'empty-bash', `#!${bash}\n`);
  if (python) hooks['python3'] = await writeHook(stage, 'empty-python', `#!${python}\n`);
  hooks['node'] = await writeHook(stage, 'empty-node', `#!${process.execPath}\n`);
  if (bash && xmllint) hooks['bash + xmllint'] = await writeHook(stage, 'naming-bash', bashNaming);
  else console.error("bench: 'bash + xmllint' is left out: xmllint is not installed");
  if (python) hooks['python3 + ElementTree'] = await writeHook(stage, 'naming-python', pythonNaming(python));
  return hooks;
}

/** @param {string} tool */
function find(tool) {
  try {
    const path = execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    // A version manager's shim is a shell script, so ask for the interpreter that it starts.
    return tool === 'python3'
      ? execFileSync(path, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()
      : path;
  } catch {
    return '';
  }
}

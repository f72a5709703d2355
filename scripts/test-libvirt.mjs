// @ts-check
// Runs the tests on a real libvirtd, test/libvirt-real, and installs what they need if it can:
//   node scripts/test-libvirt.mjs [--require] [FILTER]...
// Exit status: 0 passed, or not possible here (prints why); 1 failed, or not possible with --require; 2 bad arguments.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Debian packages, each with a file that shows that it is installed. */
const packages = {
  'libvirt-daemon': '/usr/sbin/libvirtd',
  'libvirt-daemon-driver-qemu': '/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so',
  'libvirt-daemon-driver-lxc': '/usr/lib/libvirt/libvirt_lxc',
  'libvirt-clients': '/usr/bin/virsh',
  'qemu-system-x86': '/usr/bin/qemu-system-x86_64',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  iproute2: '/sbin/ip',
  'util-linux': '/usr/bin/nsenter',
};

// Variables, because these programs belong to the system and no npm package brings them.
const aptGet = 'apt-get';
const unshare = 'unshare';

process.exitCode = main();

/** @returns {number} */
function main() {
  /** @type {{ values: { require?: boolean }, positionals: string[] }} */
  let parsed;
  try {
    parsed = parseArgs({ options: { require: { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    console.error(`Cannot run the tests on libvirt: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const problem = obstacle() ?? install() ?? privateMachineProblem();
  if (problem !== null) {
    console.error(`The tests on a real libvirtd were NOT run: ${problem}`);
    return parsed.values.require === true ? 1 : 0;
  }
  return test(parsed.positionals);
}

/** Returns why the tests cannot run here, or null. */
function obstacle() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'they need Linux on x86-64';
  if (process.getuid?.() !== 0) return 'only root can run a libvirtd of its own; run them as root';
  for (const file of ['dist/commands/main.js', 'dist/hook-client']) {
    if (!existsSync(join(root, file))) return `'${file}' is not built; run 'npm run build' (with a C compiler) first`;
  }
  return null;
}

/** Installs missing packages. */
function install() {
  const missing = Object.entries(packages).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) return null;
  if (spawnSync(aptGet, ['--version']).status !== 0) {
    return `these are not installed, and there is no apt-get: ${missing.join(' ')}`;
  }
  console.error(`… installing ${missing.join(' ')}`);
  const before = processesNamed('libvirtd');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-q'],
    ['install', '-yq', '--no-install-recommends', ...missing],
  ]) {
    const { status, stdout, stderr } = spawnSync(aptGet, args, { env, encoding: 'utf8' });
    if (status !== 0) return `apt-get ${args[0]} failed:\n${stdout}${stderr}`;
  }
  // Under systemd, a package starts its daemon. It is not ours to stop and does not disturb the tests.
  const started = processesNamed('libvirtd').length - before.length;
  if (started > 0) console.error('… the package has started a libvirtd of the system; the tests leave it alone');
  return null;
}

/** In some containers root cannot create namespaces. */
function privateMachineProblem() {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--mount-proc'];
  const { status, stderr } = spawnSync(unshare, [...namespaces, 'true'], { encoding: 'utf8' });
  return status === 0 ? null : `no namespaces can be made here: ${stderr.trim()}`;
}

/**
 * @param {readonly string[]} filters
 * @returns {number}
 */
function test(filters) {
  // All files of the tests go into this folder, so nothing remains even if a test is killed.
  const folder = mkdtempSync(join(tmpdir(), 'hv-'));
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--config', 'vitest.libvirt.config.ts', ...filters];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TMPDIR: folder },
  });
  const left = leftovers(folder);
  for (const line of left) console.error(`left behind: ${line}`);
  rmSync(folder, { recursive: true, force: true });
  return status === 0 && left.length === 0 ? 0 : 1;
}

/**
 * Returns processes, mounts and files that the tests left behind.
 * @param {string} folder
 * @returns {string[]}
 */
function leftovers(folder) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => `mount ${line}`);
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      const environment = read(`/proc/${pid}/environ`);
      const command = read(`/proc/${pid}/cmdline`);
      const mine = `${environment}\0${command}`.includes(folder) && Number(pid) !== process.pid;
      return mine ? [`process ${pid} ${command.replaceAll('\0', ' ')}`] : [];
    });
  return [...processes, ...mounts, ...readdirSync(folder).map((name) => `file ${join(folder, name)}`)];
}

/** @param {string} name */
function processesNamed(name) {
  return readdirSync('/proc').filter((pid) => /^\d+$/u.test(pid) && read(`/proc/${pid}/comm`).trim() === name);
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

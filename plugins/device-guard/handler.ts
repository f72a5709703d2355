import { allow, deny, quote, select, type Configurable, type Handler } from 'hookvisor/guest';
import { readSettings } from './settings.js';

/** The operations for which a denial has no side effects. Later operations have already taken effect. */
const decided = new Set(['prepare', 'start', 'migrate', 'restore']);

/** Elements that give a host device to a domain. */
const hostDevices = [
  '/domain/devices/hostdev',
  '/domain/devices/interface[@type="hostdev" or @type="vdpa"]',
  '/domain/devices/disk[@type="nvme" or @type="vhostvdpa"]',
  '/domain/devices/disk//source[@type="nvme"]',
  '/domain/devices/input[@type="passthrough" or @type="evdev"]',
  '/domain/devices/smartcard[@mode="host"]',
  '/domain/devices/tpm/backend[@type="passthrough"]',
];

/** Places in which a domain names a file, folder or block device of the host. */
const hostPaths = [
  '/domain/devices/disk//source/@file',
  '/domain/devices/disk//source/@dev',
  '/domain/devices/disk//source/@dir',
  '/domain/devices/filesystem/source/@file',
  '/domain/devices/filesystem/source/@dev',
  '/domain/devices/filesystem/source/@dir',
  '/domain/devices/memory/source/path',
  '/domain/devices/*[@type="dev" or @type="file" or @type="pipe"]/source/@path',
  '/domain/devices/*/log/@file',
  '/domain/os/kernel',
  '/domain/os/initrd',
  '/domain/os/dtb',
];

/** `qemu:commandline` and similar elements, which pass options to the hypervisor unchecked. */
const passthrough = '/domain/*[starts-with(namespace-uri(), "http://libvirt.org/schemas/domain/")]';

/** Denies domains that use more of the host than the settings allow. */
export const handler: Handler = {
  handle(event) {
    if (event.kind !== 'domain' || !decided.has(event.event)) return allow();
    const { folders, allowHostDevices, allowCommandline } = readSettings();
    if (!allowCommandline && select(passthrough).length > 0) {
      return deny('the domain passes options to the hypervisor; remove elements such as <qemu:commandline>');
    }
    if (!allowHostDevices && hostDevices.some((xpath) => select(xpath).length > 0)) {
      return deny('the domain uses a host device; remove elements such as <hostdev>');
    }
    const outside = hostPaths.flatMap(select).find((path) => !isInside(path, folders));
    if (outside === undefined) return allow();
    return deny(`the domain uses ${quote(outside)}; allowed folders: ${folders.join(', ') || 'none'}`);
  },
};

/** Returns whether a path is below one of the folders and has no `..` component. */
function isInside(path: string, folders: readonly string[]): boolean {
  return !path.split('/').includes('..') && folders.some((folder) => path.startsWith(`${folder}/`));
}

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readSettings();
  },
};

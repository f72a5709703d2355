const domainDrivers: ReadonlySet<string> = new Set(['qemu', 'lxc', 'libxl', 'bhyve']);

/** Returns the kind of object, in the terms of the RFC, for a libvirt hook; the driver name for an unknown hook. */
export function kindOf(driver: string): string {
  return domainDrivers.has(driver) ? 'domain' : driver;
}

/** Returns the driver to assume if only the kind is known. */
export function defaultDriver(kind: string): string {
  return kind === 'domain' ? 'qemu' : kind;
}

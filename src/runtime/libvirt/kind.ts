const domainDrivers: ReadonlySet<string> = new Set(['qemu', 'lxc', 'libxl', 'bhyve']);

/** The RFC's kind of object for one of libvirt's hooks; the driver's own name for one that is not known. */
export function kindOf(driver: string): string {
  return domainDrivers.has(driver) ? 'domain' : driver;
}

/** The driver to assume when only the kind is known. */
export function defaultDriver(kind: string): string {
  return kind === 'domain' ? 'qemu' : kind;
}

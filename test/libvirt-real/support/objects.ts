import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.js';

export interface GuestOptions {
  readonly uuid?: string;
  /** 8 unless it is said. */
  readonly memoryMiB?: number;
  /** The network of its one interface. */
  readonly network?: string;
  /** The file of its one disk. */
  readonly disk?: string;
}

/** The XML of a guest that has nothing to run: it starts in half a second, without KVM. */
export function guestXml(
  name: string,
  { uuid = randomUUID(), memoryMiB = 8, network, disk }: GuestOptions = {},
): string {
  const nic =
    network === undefined
      ? ''
      : `<interface type='network'><source network='${network}'/><model type='virtio'/></interface>`;
  const drive =
    disk === undefined
      ? ''
      : `<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>`;
  return `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid>
  <memory unit='MiB'>${memoryMiB}</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/><memballoon model='none'/>
  ${drive}${nic}</devices></domain>`;
}

/** The XML of a container that sleeps. */
export function containerXml(name: string): string {
  return `<domain type='lxc'><name>${name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type>exe</type><init>/bin/sleep</init><initarg>1000</initarg></os>
  <devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator><console type='pty'/></devices></domain>`;
}

/** The XML of a network that needs neither dnsmasq nor a packet filter. */
export function networkXml(name: string, octet = 1): string {
  return `<network><name>${name}</name><forward mode='open'/><bridge name='br-${name}' stp='off' delay='0'/><dns enable='no'/>
  <ip address='198.18.${octet}.1' netmask='255.255.255.0'/></network>`;
}

/** Writes XML where virsh finds it. */
export function xmlFile(host: Host, name: string, xml: string): string {
  const file = join(host.machine.dir, `${name}.xml`);
  writeFileSync(file, xml);
  return file;
}

/** Defines a guest. */
export async function defineGuest(host: Host, name: string, options: GuestOptions = {}): Promise<void> {
  await must(host.virsh('define', xmlFile(host, name, guestXml(name, options))));
}

/** What a command said, which must succeed. */
export async function must(running: Promise<{ status: number | null; out: string; err: string }>): Promise<string> {
  const { status, out, err } = await running;
  if (status !== 0) throw new Error(`status ${status ?? 'none'}: ${err}${out}`);
  return out.trim();
}

/** The state of a guest in virsh's words; `gone` when there is none. */
export async function stateOf(host: Host, name: string): Promise<string> {
  const { status, out } = await host.virsh('domstate', name);
  return status === 0 ? out.trim() : 'gone';
}

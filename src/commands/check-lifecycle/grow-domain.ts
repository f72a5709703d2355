import { escapeXml, insertAtEnd, replaceFirst } from './xml.js';

/** A change to a recorded document; `amount` (from 0) selects how much or which. */
export type Growth = (xml: string, amount: number) => string;

const repeat = (count: number, one: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => one(at)).join('');

type Size = readonly [unit: string, size: string];

/** Sizes as libvirt may write them: it writes KiB; other units come from files that were never normalized. */
const sizes: readonly [Size, ...Size[]] = [
  ['KiB', '1'],
  ['KiB', '4194304'],
  ['MiB', '512'],
  ['GiB', '64'],
  ['TiB', '12'],
  ['b', '1073741824'],
  ['KB', '1000000'],
  ['KiB', '9007199254740993'],
];

const paths = [
  '/var/lib/libvirt/images/web.qcow2',
  '/srv/a path with spaces/disk.img',
  '/var/lib/libvirt/images/../../../etc/shadow',
  '/dev/disk/by-id/nvme-0',
  '/dev/sda',
  '/srv/ünïcode/磁盘.raw',
  `/srv/${'d'.repeat(1_000)}.raw`,
] as const;

const texts = [
  'plain',
  'ünïcode, 日本語, العربية, 🚀',
  '<not> & "markup"',
  ' \t surrounded by blanks \t ',
  'x'.repeat(20_000),
] as const;

const item = <Item>(items: readonly [Item, ...Item[]], amount: number): Item =>
  items[amount % items.length] ?? items[0];

/** Ways in which the document of a domain can grow. The name appears in the report of a failing case. */
export const domainGrowths = {
  memory: (xml, amount) => {
    const [unit, size] = item(sizes, amount);
    const resized = replaceFirst(xml, /<memory [^>]*>[^<]*<\/memory>/u, `<memory unit='${unit}'>${size}</memory>`);
    const current = `<currentMemory unit='${unit}'>${size}</currentMemory>`;
    return replaceFirst(resized, /<currentMemory [^>]*>[^<]*<\/currentMemory>/u, current);
  },
  vcpus: (xml, amount) => {
    const most = item([2, 8, 64, 255, 4_096], amount);
    const current = amount % 2 === 0 ? '' : ` current='1'`;
    return replaceFirst(xml, /<vcpu[^>]*>[^<]*<\/vcpu>/u, `<vcpu placement='static'${current}>${most}</vcpu>`);
  },
  disks: (xml, amount) => {
    const path = escapeXml(item(paths, amount));
    const disk = (at: number): string =>
      path.startsWith('/dev/')
        ? `<disk type='block' device='disk'><source dev='${path}'/><target dev='vd${at}' bus='virtio'/></disk>`
        : `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${path}'/>` +
          `<target dev='vd${at}' bus='virtio'/></disk>`;
    return insertAtEnd(xml, 'devices', repeat(1 + (amount % 9), disk));
  },
  'network-disk': (xml, amount) =>
    insertAtEnd(
      xml,
      'devices',
      `<disk type='network' device='disk'><source protocol='rbd' name='pool/image'><host name='192.0.2.7' port='6789'/>` +
        `<auth username='libvirt'><secret type='ceph' uuid='77777777-2222-4333-8444-55555555555${amount % 10}'/></auth>` +
        `</source><target dev='vdz' bus='virtio'/></disk>`,
    ),
  interfaces: (xml, amount) => {
    const kinds = [
      `type='network'><source network='iso'/>`,
      `type='bridge'><source bridge='br0'/>`,
      `type='direct'><source dev='eth0' mode='bridge'/>`,
      `type='user'>`,
    ] as const;
    const nic = (at: number): string =>
      `<interface ${item(kinds, amount + at)}<mac address='52:54:00:00:01:0${at % 10}'/><model type='virtio'/></interface>`;
    return insertAtEnd(xml, 'devices', repeat(1 + (amount % 5), nic));
  },
  hostdev: (xml) =>
    insertAtEnd(
      xml,
      'devices',
      `<hostdev mode='subsystem' type='pci' managed='yes'><source>` +
        `<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></hostdev>`,
    ),
  graphics: (xml, amount) =>
    insertAtEnd(
      xml,
      'devices',
      `<graphics type='vnc' port='5900' autoport='yes' listen='0.0.0.0'${amount % 2 === 0 ? '' : ` passwd='s3cret'`}/>`,
    ),
  many: (xml, amount) =>
    insertAtEnd(
      xml,
      'devices',
      repeat(
        20 * (1 + (amount % 10)),
        (at) => `<channel type='unix'><target type='virtio' name='org.x.${at}'/></channel>`,
      ),
    ),
  title: (xml, amount) => insertAfterUuid(xml, `<title>${escapeXml(item(texts, amount).trim())}</title>`),
  description: (xml, amount) => insertAfterUuid(xml, `<description>${escapeXml(item(texts, amount))}</description>`),
  cdata: (xml) =>
    insertAfterUuid(xml, `<description><![CDATA[</description><memory unit='TiB'>9</memory>]]></description>`),
  comment: (xml) => insertAfterUuid(xml, `<!-- <name>other</name> -->`),
  metadata: (xml, amount) =>
    insertAfterUuid(
      xml,
      `<metadata><app:owner xmlns:app='https://example.com/app/${amount % 3}'><app:tenant>a</app:tenant>` +
        `<memory unit='TiB'>99</memory><name>other</name></app:owner></metadata>`,
    ),
  commandline: (xml) =>
    insertAtEnd(
      replaceFirst(xml, /<domain /u, `<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' `),
      'domain',
      `<qemu:commandline><qemu:arg value='-device'/><qemu:arg value='e1000'/></qemu:commandline>`,
    ),
  'without-cpu': (xml) => replaceFirst(xml, /\s*<cpu [\s\S]*?<\/cpu>/u, ''),
  'without-clock': (xml) => replaceFirst(xml, /\s*<clock [^>]*\/>/u, ''),
  'one-line': (xml) => xml.replace(/>\s+</gu, '><'),
  'double-quotes': (xml) => (xml.includes('"') ? xml : xml.replaceAll("'", '"')),
} as const satisfies Readonly<Record<string, Growth>>;

function insertAfterUuid(xml: string, text: string): string {
  return replaceFirst(xml, /<\/uuid>/u, `</uuid>${text}`);
}

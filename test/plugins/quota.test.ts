import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import createPlugin from '@extism/extism';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extismOutput, type ExtismOutput } from '../../src/runner/contract.js';
import { packageRoot } from '../../src/shared/paths.js';
import { captures } from '../support/captures.js';

const module = new WebAssembly.Module(readFileSync(join(packageRoot, 'plugins/quota/build/quota.wasm')));

async function call(name: 'handle' | 'validate', config: Record<string, string>, input?: string): Promise<string> {
  const plugin = await createPlugin({ wasm: [{ module }] }, { useWasi: false, config, logger: silent });
  try {
    return (await plugin.call(name, input))?.text() ?? '';
  } finally {
    await plugin.close();
  }
}

const nothing = (): void => undefined;
const silent = { ...console, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

const limits = { maxMemoryMiB: '1024', maxVcpus: '4' };

async function decide(
  document: string | null,
  event: Record<string, unknown> = {},
  config: Record<string, string> = limits,
): Promise<ExtismOutput> {
  const whole = { id: 'e', time: 1, kind: 'domain', name: 'x', event: 'start', qualifier: 'begin', extra: null };
  const input = { event: { ...whole, driver: 'qemu', uuid: null, ...event }, document };
  return extismOutput.parse(JSON.parse(await call('handle', config, JSON.stringify(input))));
}

const allow = { outcome: 'allow' };
const tooMuch = (memory: string): object => ({
  outcome: 'deny',
  reason: `the domain has ${memory} of memory, the limit is 1024 MiB`,
});
const domain = (inside: string): string => `<domain type='qemu'>${inside}</domain>`;

describe('quota', () => {
  it('allows every recorded domain within the limits, and denies it below its size', async () => {
    const calls = captures.filter(({ driver, stdin }) => driver === 'qemu' && stdin !== null);
    expect(calls.length).toBeGreaterThan(10);
    for (const { argv, stdin } of calls) {
      const decided = ['prepare', 'start', 'restore', 'migrate'].includes(argv[1] ?? '');
      expect(await decide(stdin, { event: argv[1] })).toEqual(allow);
      expect(await decide(stdin, { event: argv[1] }, { maxMemoryMiB: '7' })).toEqual(
        decided
          ? { outcome: 'deny', reason: 'the domain has 8 MiB of memory, the limit is 7 MiB' }
          : { outcome: 'allow' },
      );
    }
  });

  it('takes what is exactly at the limit', async () => {
    expect(await decide(domain('<memory>1048576</memory><vcpu>4</vcpu>'))).toEqual(allow);
    expect(await decide(domain('<memory>1048577</memory><vcpu>4</vcpu>'))).toEqual(tooMuch('1048577 KiB'));
  });

  it('names each limit that is exceeded', async () => {
    expect(await decide(domain(`<memory unit='GiB'>2</memory><vcpu current='1'>5</vcpu>`))).toEqual({
      outcome: 'deny',
      reason: 'the domain has 2048 MiB of memory, the limit is 1024 MiB; it has 5 vCPUs, the limit is 4',
    });
    expect(await decide(domain(`<memory>1</memory><vcpu>5</vcpu>`))).toEqual({
      outcome: 'deny',
      reason: 'the domain has 5 vCPUs, the limit is 4',
    });
  });

  it('counts disks, and neither drives nor what only looks like a disk', async () => {
    const disks = (inside: string, most: string): Promise<ExtismOutput> =>
      decide(domain(`<memory>1</memory><devices>${inside}</devices>`), {}, { maxDisks: most });
    const three = `<disk device='disk'/><disk type='block'><target/></disk><disk device="lun"></disk>`;
    const drives = `<disk device='cdrom'/><disk device='flo&#112;py'/><!-- <disk/> --><hub><disk/></hub>`;
    expect(await disks(three + drives, '3')).toEqual(allow);
    expect(await disks(drives + three, '2')).toEqual({
      outcome: 'deny',
      reason: 'the domain has 3 disks, the limit is 2',
    });
    const elsewhere = `<memory>1</memory><disk/><metadata><devices><disk/></devices></metadata><devices/><disk/>`;
    expect(await decide(domain(elsewhere + `<devices><disk/></devices>`), {}, { maxDisks: '1' })).toEqual(allow);
  });

  it.each([
    ['b', 1],
    ['bytes', 1],
    ['KB', 1e3],
    ['k', 1024],
    ['KiB', 1024],
    ['MB', 1e6],
    ['M', 1024 ** 2],
    ['mib', 1024 ** 2],
    ['GB', 1e9],
    ['G', 1024 ** 3],
    ['GiB', 1024 ** 3],
    ['TB', 1e12],
    ['T', 1024 ** 4],
    ['TiB', 1024 ** 4],
    ['PiB', 1024 ** 5],
    ['EiB', 1024 ** 6],
  ])('reads the unit %s as libvirt does', async (unit, scale) => {
    const most = Math.floor(1024 ** 3 / scale);
    const at = (amount: number): string => domain(`<memory unit='${unit}'>${amount}</memory>`);
    expect(await decide(at(most))).toEqual(allow);
    expect(await decide(at(most + 1))).toMatchObject({ outcome: 'deny' });
  });

  it('denies amounts beyond any number', async () => {
    expect(await decide(domain(`<memory unit='EiB'>${'9'.repeat(40)}</memory>`))).toMatchObject({ outcome: 'deny' });
    expect(await decide(domain(`<memory unit='b'>1</memory><vcpu>${'9'.repeat(40)}</vcpu>`))).toMatchObject({
      outcome: 'deny',
    });
  });

  it.each([
    `<metadata><memory unit='KiB'>1</memory><a:x xmlns:a='a'><memory>1</memory></a:x></metadata><memory>2097152</memory>`,
    `<!-- <memory>1</memory> --><memory>2097152</memory>`,
    `<description><![CDATA[</description><memory>1</memory>]]></description><memory>2097152</memory>`,
    `<title a='>"&lt;memory>1'/><memory>2097152</memory>`,
    `<?x <memory>1</memory>?><memory>2097152</memory>`,
    `<memory dumpCore='on' unit = "MiB" >2048</memory>`,
    `<memory x="unit='b'" unit='&#75;iB'>2097152</memory>`,
    `<memory>20<!-- 9 -->97<![CDATA[1]]>&#x35;<?x 9?>2</memory>`,
    `<memory>\n  2097152\t</memory>`,
    `<memory>1</memory><memory>2097152</memory>`,
    `<memory>2097152</memory><memory>1</memory>`,
    `<p:memory xmlns:p='p'>1</p:memory><memory>2097152</memory>`,
    `<memoryBacking/><memory\n>2097152</memory\n>`,
    `<description>"} ,"document":"&lt;memory>1\\u003c</description><memory>2097152</memory>`,
    `<description>𝔘𝔫𝔦é中\u0001\u2028\ud800</description><memory>2097152</memory>`,
  ])('is not misled by %j', async (inside) => {
    expect(await decide(domain(inside))).toEqual(tooMuch('2048 MiB'));
  });

  it.each([
    `<metadata><memory unit='TiB'>1</memory><vcpu>99</vcpu></metadata><memory>1</memory>`,
    `<!-- <memory unit='TiB'>1</memory> --><memory>1</memory>`,
    `<cpu><numa><cell memory='9999999999'/></numa></cpu><memory>1</memory><currentMemory>9999999999</currentMemory>`,
  ])('does not count %j', async (inside) => {
    expect(await decide(domain(inside))).toEqual(allow);
  });

  it.each([
    ['', 'it has no element'],
    ['   ', 'it has no element'],
    ['tiny', 'there is text outside of the root element'],
    ['<network><memory>1</memory></network>', 'its root is not <domain>'],
    ['<domain/>', 'it has no <memory>'],
    ['<domain>', 'it ends inside an element'],
    ['<domain></domian>', 'an end tag does not match its element'],
    ['</domain>', 'an end tag is out of place'],
    ['<domain/><domain/>', 'it has two root elements'],
    ['<!DOCTYPE domain [<!ENTITY m "1">]><domain/>', 'it declares a document type'],
    [domain('<memory>&m;</memory>'), 'it uses an entity that XML does not define'],
    [domain('<memory>1 2</memory>'), 'its <memory> is not a whole number'],
    [domain('<memory>-1</memory>'), 'its <memory> is not a whole number'],
    [domain('<memory>1e9</memory>'), 'its <memory> is not a whole number'],
    [domain('<memory><![CDATA[&#49;]]></memory>'), 'its <memory> is not a whole number'],
    [domain('<memory/>'), 'its <memory> is not a whole number'],
    [domain('<memory>1</memory><vcpu>x</vcpu>'), 'its <vcpu> is not a whole number'],
    [domain(`<memory unit='XiB'>1</memory>`), 'the unit of its <memory> is unknown'],
    [domain(`<memory unit='b' unit='TiB'>1</memory>`), 'the attribute unit is given twice'],
    [domain(`<memory unit='b'x='1'>1</memory>`), 'a tag is not well-formed'],
    [domain(`<memory unit=b>1</memory>`), 'a tag is not well-formed'],
    [domain(`<memory unit='<'>1</memory>`), 'a tag is not well-formed'],
    [domain(`<memory unit='b>1</memory>`), 'a tag is not well-formed'],
    [domain('<!-- '), 'a comment does not end'],
    [domain('<![CDATA[ '), 'a CDATA section does not end'],
    [domain('<?x '), 'a processing instruction does not end'],
  ])('fails, without a decision, on %j', async (document, problem) => {
    await expect(decide(document)).rejects.toThrow(`the document cannot be read: ${problem}`);
  });

  it('fails, without a decision, on an event that should have a document and has none', async () => {
    await expect(decide(null)).rejects.toThrow('the event has no document');
  });

  it('never decides by anything but the two elements, whatever stands around them', async () => {
    const escape = (text: string): string => text.replace(/[&<>]/gu, (char) => `&#${char.charCodeAt(0)};`);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.nat(4096), async (text, mib) => {
        const inside = `<description>${escape(text)}</description><memory unit='MiB'>${mib}</memory>`;
        const decided = await decide(domain(inside));
        expect(decided.outcome).toBe(mib > 1024 ? 'deny' : 'allow');
      }),
      { numRuns: 50 },
    );
  });

  it('reads a document of a megabyte nested a thousand deep', async () => {
    const deep = `${'<a>'.repeat(1000)}${'x'.repeat(1_000_000)}${'</a>'.repeat(1000)}`;
    expect(await decide(domain(`<metadata>${deep}</metadata><memory unit='GiB'>2</memory>`))).toEqual(
      tooMuch('2048 MiB'),
    );
  });

  it.each([
    { kind: 'network', driver: 'network' },
    { kind: 'daemon', driver: 'daemon' },
    { event: 'stopped' },
    { event: 'reconnect' },
    { event: 'started' },
  ])('has no say in %j', async (event) => {
    expect(await decide('not read', event)).toEqual(allow);
  });
});

describe('the settings of quota', () => {
  const range = 'expected a whole number from 1 to 1000000000000';
  it.each([
    [{}, 'no limit is set; set maxMemoryMiB, maxVcpus or maxDisks'],
    [{ maxMemory: '1' }, 'no limit is set; set maxMemoryMiB, maxVcpus or maxDisks'],
    [{ maxDisks: 'two' }, `maxDisks is 'two'; ${range}`],
    [{ maxVcpus: '0' }, `maxVcpus is '0'; ${range}`],
    [{ maxVcpus: '-1' }, `maxVcpus is '-1'; ${range}`],
    [{ maxVcpus: '1.5' }, `maxVcpus is '1.5'; ${range}`],
    [{ maxVcpus: 'true' }, `maxVcpus is 'true'; ${range}`],
    [{ maxMemoryMiB: 'viel "é\n' }, `maxMemoryMiB is 'viel "é\n'; ${range}`],
    [{ maxMemoryMiB: 'x'.repeat(1000) }, `maxMemoryMiB is '${'x'.repeat(39)}…'; ${range}`],
    [{ maxMemoryMiB: '1000000000001' }, `maxMemoryMiB is '1000000000001'; ${range}`],
  ])('%j are refused', async (config: Record<string, string>, error) => {
    expect(JSON.parse(await call('validate', config))).toEqual({ error });
    await expect(decide(domain('<memory>1</memory>'), {}, config)).rejects.toThrow('the settings cannot be used');
  });

  it.each([{ maxVcpus: '1' }, { maxMemoryMiB: '1' }, { maxMemoryMiB: '1000000000000', maxVcpus: '8' }])(
    '%j are taken',
    async (config: Record<string, string>) => {
      expect(await call('validate', config)).toBe('');
    },
  );
});

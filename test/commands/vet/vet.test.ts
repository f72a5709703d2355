import { truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vetReportSchema } from '../../../src/contract/vet-report.js';
import { extismWat, moduleBytes } from '../../support/plugins.js';
import { samplePlugin } from '../../support/runtime.js';
import { hookvisor } from '../../support/command.js';
import { temporaryFolder } from '../../support/temp.js';

/** Runs `hookvisor vet` in this process; the plugin is looked at in one of its own. */
async function vet(...args: string[]): ReturnType<typeof hookvisor> {
  return hookvisor('vet', ...args);
}

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(temporaryFolder(), 'plugin.wasm');
  await writeFile(path, bytes);
  return path;
}

describe('vet', { timeout: 60_000 }, () => {
  it('says what an admitted component can and cannot do', async () => {
    const { status, out } = await vet(samplePlugin('naming'));
    expect(status).toBe(0);
    expect(out).toContain(
      "read the event's document, whole (text) or by XPath (select): it imports hookvisor:hook/document@0.1.0",
    );
    expect(out).toMatch(/It cannot:\n[^]*- call libvirt: it imports nothing but hookvisor:hook\//u);
    expect(out).toMatch(/\nadmitted: it complies with all rules\n$/u);
  });

  it('says it as data', async () => {
    const { status, out } = await vet(samplePlugin('quota'), '--json');
    expect(status).toBe(0);
    const report = vetReportSchema.strict().parse(JSON.parse(out));
    expect(report).toMatchObject({ verdict: 'admitted', backend: 'extism', reasons: [] });
    expect(report.can.length).toBeGreaterThan(2);
    expect(report.hardenedBytes).toBeGreaterThan(report.bytes);
  });

  it('refuses a component that imports sockets, and names the import', async () => {
    const wat =
      '(component (import "wasi:sockets/tcp@0.2.0" (instance)) (import "hookvisor:hook/log@0.2.0" (instance)))';
    const { status, out } = await vet(await fileOf(await moduleBytes(wat)));
    expect(status).toBe(1);
    expect(out).toContain("it imports 'wasi:sockets/tcp@0.2.0'; only hookvisor:hook/");
    expect(out).toContain("it imports 'hookvisor:hook/log@0.2.0'; only hookvisor:hook/");
    expect(out).toMatch(/\nrefused: see the 3 reasons above\n$/u);
  });

  it('writes no control characters of a plugin to the terminal', async () => {
    const wat = extismWat('{}', { imports: '(import "env" "a\\1b[31m\\0a" (func))' });
    const { status, out } = await vet(await fileOf(await moduleBytes(wat)));
    expect(status).toBe(1);
    expect(out).not.toContain(String.fromCharCode(0x1b));
    expect(out).toContain('\\x1b[31m');
  });

  it('takes the memory limit of the handler', async () => {
    const file = await fileOf(await moduleBytes(extismWat('{}').replace('"memory") 1)', '"memory") 20)')));
    expect((await vet(file)).status).toBe(0);
    const small = await vet(file, '--memory', '1MiB');
    expect(small.status).toBe(1);
    expect(small.out).toContain('it needs at least 1310720 bytes of memory; its limit is 1048576');
  });

  it('refuses a file over the size bound without reading it', async () => {
    const file = await fileOf(Buffer.alloc(0));
    truncateSync(file, 2 ** 40);
    const { status, out } = await vet(file, '--json');
    expect(status).toBe(1);
    expect(vetReportSchema.strict().parse(JSON.parse(out))).toMatchObject({
      verdict: 'refused',
      bytes: 2 ** 40,
      sha256: null,
      pluginBytes: 16 * 1024 * 1024,
      reasons: [
        {
          rule: 'size',
          code: 'plugin-refused',
          message:
            "it has 1099511627776 bytes; at most 16777216 are allowed; build a smaller plugin, 'pluginSize' goes to 64MiB at most",
        },
      ],
    });
    expect((await vet(file)).out).toContain('sha256        not read');
  });

  it("takes the handler's bound on the file", async () => {
    const file = await fileOf(
      await moduleBytes(`${extismWat('{}').replace(/\)\s*$/u, '')} (data "${'a'.repeat(2000)}"))`),
    );
    expect(await vet(file, '--plugin-size', '4KiB', '--json')).toMatchObject({ status: 0 });
    const small = await vet(file, '--plugin-size', '2KiB');
    expect(small.status).toBe(1);
    expect(small.out).toMatch(
      /it has 2\d{3} bytes; at most 2048 are allowed; raise 'pluginSize' \(64MiB at most\), or build a smaller plugin \(plugin-refused: size\)/u,
    );
    const above = await vet(file, '--plugin-size', '65MiB');
    expect(above.status).toBe(2);
    expect(above.err).toContain("'65MiB' is out of range; write an amount from 1KiB to 64MiB");
  });

  it('exits with 2 for what it cannot read or understand', async () => {
    const missing = await vet('/nowhere/x.wasm');
    expect(missing.status).toBe(2);
    expect(missing.err).toContain(
      "Cannot read the plug-in '/nowhere/x.wasm': there is no such file; specify a .wasm file",
    );
    expect((await vet('/tmp')).status).toBe(2);
    expect((await vet()).status).toBe(2);
    expect((await vet(samplePlugin('quota'), '--memory', 'much')).status).toBe(2);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookvisor } from '../support/command.js';
import { samplePlugin, serve, writeConfig } from '../support/runtime.js';
import { temporaryFolder, write, writeScript } from '../support/temp.js';

const domain = '<domain><name>web</name><memory unit="MiB">512</memory><vcpu>1</vcpu></domain>';

describe('emit with the variables of the RFC', () => {
  async function config(body: string): Promise<{ dir: string; file: string }> {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'events', body.replaceAll('DIR', dir));
    return { dir, file: await writeConfig(dir, `events_script: ${script}\nevents_set: daemon domain`) };
  }

  it('runs the script with exactly the words of the event', async () => {
    const { dir, file } = await config(`printf '%s\\n' "$#" "$@" > DIR/seen`);
    expect(await hookvisor('emit', '--config', file, 'domain', 'foo', 'start', 'before')).toMatchObject({ status: 0 });
    expect(readFileSync(join(dir, 'seen'), 'utf8')).toBe('4\ndomain\nfoo\nstart\nbefore\n');
  });

  it('denies when the script exits with 3', async () => {
    const { file } = await config('exit 3');
    const run = await hookvisor('emit', '--config', file, 'domain', 'foo', 'start', 'before');
    expect(run.status).toBe(1);
    expect(run.err).toContain('denied');
    expect(run.err).toContain('exit status 3');
  });

  it('does not run the script for a kind that is not in events_set', async () => {
    const { dir, file } = await config('touch DIR/ran; exit 3');
    expect(await hookvisor('emit', '--config', file, 'storage', 'pool', 'start', 'before')).toMatchObject({
      status: 0,
    });
    expect(readdirSync(dir)).not.toContain('ran');
  });
});

describe('emit --json', () => {
  const cases = [
    ['component', samplePlugin('naming'), `settings: { pattern: '^[0-9]+$' }`, /\^\[0-9\]\+\$/],
    ['extism', samplePlugin('quota'), 'settings: { maxMemoryMiB: 256, maxVcpus: 4 }', /512 MiB.*256 MiB/],
    ['script', 'SCRIPT', 'arguments: libvirt', /not today/],
  ] as const;

  it.each(cases)('prints the verdict of a %s handler', async (backend, source, more, reason) => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'deny', 'echo not today >&2; exit 1');
    const file = await writeConfig(
      dir,
      `handlers: { one: { backend: ${backend}, source: ${source.replace('SCRIPT', script)}, ${more}, failurePolicy: fail } }
routes: [ { match: { kind: domain }, handlers: [one] } ]`,
    );
    const document = await write(dir, 'web.xml', domain);
    const args = ['--config', file, '--json', '--document', document, 'domain', 'web', 'prepare', 'begin'];
    const run = await hookvisor('emit', ...args);
    expect(run.status).toBe(1);
    const verdict: unknown = JSON.parse(run.out);
    expect(verdict).toEqual({
      verdict: 'deny',
      reason: expect.stringMatching(reason) as string,
      effect: 'aborts',
      answered: 'deny',
      event: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        kind: 'domain',
        name: 'web',
        event: 'prepare',
        qualifier: 'begin',
        extra: null,
        driver: 'qemu',
      },
      handlers: [
        {
          handler: 'one',
          backend,
          mode: 'enforce',
          outcome: 'deny',
          reason: expect.stringMatching(reason) as string,
          failure: null,
          fuel: backend === 'script' ? null : (expect.any(Number) as number),
          durationUs: expect.any(Number) as number,
          logs: expect.any(Array) as unknown[],
        },
      ],
    });
  });

  it('is the same through a running runtime', async () => {
    const { socket } = await serve('');
    const run = await hookvisor('emit', '--socket', socket, '--json', 'network', 'default', 'start', 'begin');
    expect(run.status).toBe(0);
    expect(JSON.parse(run.out)).toMatchObject({ verdict: 'allow', handlers: [], event: { driver: 'network' } });
  });

  it('says as JSON that there is no runtime', async () => {
    const socket = join(temporaryFolder(), 'none.sock');
    const run = await hookvisor('emit', '--socket', socket, '--json', 'domain', 'foo', 'start', 'begin');
    expect(run.status).toBe(2);
    expect(JSON.parse(run.out)).toMatchObject({ error: { code: 'unreachable', fields: { socket } } });
  });
});

describe('emit', () => {
  it('prints a replaced document to stdout', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'rewrite', 'sed s/512/256/');
    const file = await writeConfig(dir, `events_script: ${script}`);
    const document = await write(dir, 'web.xml', domain);
    const run = await hookvisor('emit', '-c', file, '--document', document, 'domain', 'web', 'restore', 'begin');
    expect(run).toMatchObject({ status: 0, out: domain.replace('512', '256') });
  });

  it('takes a name that starts with a dash after --', async () => {
    const file = await writeConfig(temporaryFolder(), '');
    const run = await hookvisor('emit', '--config', file, '--json', 'domain', '--', '-rf', 'start', 'begin');
    expect(JSON.parse(run.out)).toMatchObject({ event: { name: '-rf' } });
  });

  it('says which document cannot be read', async () => {
    const file = await writeConfig(temporaryFolder(), '');
    const run = await hookvisor('emit', '--config', file, '--document', '/none.xml', 'domain', 'a', 'start', 'begin');
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain("Cannot read the document '/none.xml'");
  });
});

describe('check', () => {
  it('shows the handlers of a valid configuration', async () => {
    const file = await writeConfig(
      temporaryFolder(),
      `handlers: { tiny: { backend: component, source: ${samplePlugin('tiny-allow')}, failurePolicy: ignore } }`,
    );
    const run = await hookvisor('check', '--config', file);
    expect(run.status).toBe(0);
    expect(run.out).toMatch(/tiny +component +enforce +operator +ignore/);
  });

  it('reports five mistakes, all five, each with its line', async () => {
    const dir = temporaryFolder();
    const file = await write(
      dir,
      'hookvisor.yaml',
      `version: 2
handlers:
  one: { backend: magic, source: x, failurePolicy: fail }
  two: { backend: script, source: x, failurePolicy: fail, deadline: soon }
  three: { backend: script, sauce: x, source: x, failurePolicy: fail }
routes:
  - { match: { kind: domain }, handlers: [four] }
`,
    );
    const run = await hookvisor('check', '--config', file);
    expect(run.status).toBe(1);
    for (const mistake of [':1:', ':3:', ':4:', ':5:', ':7:']) expect(run.err).toContain(mistake);
    for (const word of ['version', 'magic', 'soon', 'sauce', 'four']) expect(run.err).toContain(word);
    const json = await hookvisor('check', '--config', file, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ valid: false, problems: { length: 5 } });
  });

  it('doubts a route that no event of libvirt takes, and calls the configuration valid', async () => {
    const dir = temporaryFolder();
    const script = await writeScript(dir, 'allow', 'exit 0');
    const file = await writeConfig(
      dir,
      `handlers: { a: { backend: script, source: ${script}, failurePolicy: fail } }
routes: [ { match: { kind: domian }, handlers: [a] } ]`,
    );
    const doubt = "routes[0].match.kind: libvirt has no kind 'domian'; did you mean 'domain'?";
    expect(await hookvisor('check', '--config', file)).toMatchObject({ status: 0, err: `warning: ${doubt}\n` });
    const json = await hookvisor('check', '--config', file, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ valid: true, doubts: [doubt] });
  });

  it('says that a configuration cannot be read', async () => {
    const run = await hookvisor('check', '--config', '/none/hookvisor.yaml');
    expect(run.status).toBe(2);
    expect(run.err).toContain("'/none/hookvisor.yaml'");
  });

  it('shows the words of a plugin that refuses its settings', async () => {
    const file = await writeConfig(
      temporaryFolder(),
      `handlers: { one: { backend: component, source: ${samplePlugin('naming')}, settings: { pattern: '(' }, failurePolicy: fail } }`,
    );
    const run = await hookvisor('check', '--config', file);
    expect(run.status).toBe(1);
    expect(run.err).toMatch(/handlers\.one: .*pattern/);
  });
});

describe('status and reload', () => {
  it('ask the running runtime', async () => {
    const { socket, runtime } = await serve('');
    const status = await hookvisor('status', '--socket', socket, '--json');
    expect(JSON.parse(status.out)).toMatchObject({ pid: process.pid, events: { answered: 0 } });
    expect((await hookvisor('status', '--socket', socket)).out).toContain('0 answered');
    expect(await hookvisor('reload', '--socket', socket)).toMatchObject({ status: 0 });
    expect(runtime.status().reloads.done).toBe(1);
  });

  it('a refused reload says why and exits with 2', async () => {
    const { socket, dir } = await serve('');
    await writeConfig(dir, 'handlers: 7');
    const run = await hookvisor('reload', '--socket', socket);
    expect(run.status).toBe(2);
    expect(run.err).toContain('handlers');
  });
});

describe('demo', () => {
  it('plays a life through all three backends, says what was denied and leaves nothing behind', async () => {
    const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('hookvisor-demo-'));
    const before = leftovers();
    const run = await hookvisor('demo');
    expect(run.status).toBe(0);
    for (const word of ['script', 'component', 'extism', 'migrate', 'restore', 'denied', 'Next steps']) {
      expect(run.out).toContain(word);
    }
    expect(run.out).toMatch(/2 denied/);
    expect(leftovers()).toEqual(before);
  }, 60_000);
});

describe('the command line', () => {
  it('has help with an example for each command', async () => {
    const { out } = await hookvisor('--help');
    for (const command of ['serve', 'emit', 'check', 'reload', 'status', 'demo', 'completion']) {
      expect(out).toContain(command);
      const help = await hookvisor(command, '--help');
      expect(help).toMatchObject({ status: 0 });
      expect(help.out).toContain(`$ hookvisor ${command}`);
    }
  });

  it('exits with 2 on a mistake in its usage', async () => {
    const run = await hookvisor('emti');
    expect(run.status).toBe(2);
    expect(run.err).toContain('Did you mean emit?');
  });

  it.each([
    ['an argument that is missing', ['emit', 'domain'], "error: missing required argument 'name'"],
    ['an option that there is not', ['vet', '--josn', 'x.wasm'], "error: unknown option '--josn'"],
    ['one that a command inside another lacks', ['journal', 'verify', '--nope'], "error: unknown option '--nope'"],
  ])('says what to do about %s', async (_, args, what) => {
    const { status, err } = await hookvisor(...args);
    expect(status).toBe(2);
    expect(err).toContain(what);
    expect(err).toContain('(use --help for options and examples)');
  });

  it('completes in bash, zsh and fish', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const run = await hookvisor('completion', shell);
      expect(run.status).toBe(0);
      expect(run.out).toContain('reload');
      expect(run.out).toContain(shell === 'fish' ? '-l config' : '--config');
    }
  });
});

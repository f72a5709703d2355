import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HandlerConfig } from '../../../src/runtime/config/config.js';
import { ConfigError } from '../../../src/runtime/config/config-error.js';
import { defaultCache, defaultIsolationLevel, defaultJournal } from '../../../src/runtime/config/defaults.js';
import { loadConfig, parseConfig } from '../../../src/runtime/config/load.js';
import { bounds } from '../../../src/contract/limits.js';
import { packageRoot } from '../../../src/shared/paths.js';

const mebibyte = 1024 * 1024;
const file = '/etc/hookvisor/hookvisor.yaml';
const digest = '9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

const whole = `
version: 1
socket: /run/hookvisor/hookvisor.sock
journal: { dir: /var/log/hookvisor, redact: true }
limits: { deadline: 2s, fuel: 50_000_000, memory: 64MiB }   # defaults, a handler can set its own

handlers:
  naming:
    backend: component
    source: plugins/naming/naming.wasm
    sha256: ${digest}
    trust: tenant-a            # its runner process; default: operator
    settings: { pattern: "^[a-z][a-z0-9-]*$" }
    failurePolicy: { fallback: naming-script }
  quota:
    backend: extism
    source: plugins/quota/quota.wasm
    failurePolicy: ignore
    mode: monitor
  naming-script:
    backend: script
    source: /etc/libvirt/hooks/naming
    failurePolicy: fail
  vfio:
    backend: script
    source: /etc/libvirt/hooks/vfio-bind
    arguments: libvirt
    deadline: 30s
    failurePolicy: fail

routes:
  - match: { kind: domain, event: [prepare, migrate], name: "tenant-*" }
    handlers: [naming, quota]
  - match: { driver: qemu }
    handlers: [vfio]

events_script: /etc/libvirt/events
events_set: daemon domain
`;

const limits = { deadlineMs: 2_000, fuel: 50_000_000, memoryBytes: 64 * mebibyte };
const plugin: Omit<HandlerConfig, 'name' | 'backend' | 'source'> = {
  sha256: null,
  trust: 'operator',
  settings: '{}',
  failurePolicy: { policy: 'fail' },
  mode: 'enforce',
  grants: new Set(),
  limits,
  pluginBytes: 16 * mebibyte,
  arguments: 'libvirt',
  layout: 'file',
  libvirtAccess: 'allow',
};
const script = { ...plugin, backend: 'script', grants: new Set(['replace']) } as const;

function errorOf(text: string, name = 'hookvisor.yaml'): ConfigError {
  try {
    parseConfig(text, name);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return expect.fail('the configuration was accepted');
}

/** The lines of the message after the first, which counts them. */
function problemsOf(text: string): string[] {
  const error = errorOf(text);
  expect(error.code).toBe('config-invalid');
  const [first, ...lines] = error.message.split('\n');
  const count = error.problems.length;
  expect(first).toBe(
    `Cannot use the configuration 'hookvisor.yaml': it has ${count} problem${count === 1 ? '' : 's'}; correct the following`,
  );
  expect(lines).toHaveLength(count);
  return lines.map((line) => line.replace('hookvisor.yaml:', ''));
}

describe('parseConfig', () => {
  it('reads a whole configuration', () => {
    const handlers: HandlerConfig[] = [
      {
        ...plugin,
        name: 'naming',
        backend: 'component',
        source: '/etc/hookvisor/plugins/naming/naming.wasm',
        sha256: digest.toLowerCase(),
        trust: 'tenant-a',
        settings: '{"pattern":"^[a-z][a-z0-9-]*$"}',
        failurePolicy: { policy: 'fallback', handler: 'naming-script' },
      },
      {
        ...plugin,
        name: 'quota',
        backend: 'extism',
        source: '/etc/hookvisor/plugins/quota/quota.wasm',
        failurePolicy: { policy: 'ignore' },
        mode: 'monitor',
      },
      { ...script, name: 'naming-script', source: '/etc/libvirt/hooks/naming' },
      {
        ...script,
        name: 'vfio',
        source: '/etc/libvirt/hooks/vfio-bind',
        limits: { ...limits, deadlineMs: 30_000 },
      },
      { ...script, name: 'events_script', source: '/etc/libvirt/events', arguments: 'rfc' },
    ];
    expect(parseConfig(whole, file)).toStrictEqual({
      file,
      socket: '/run/hookvisor/hookvisor.sock',
      readers: null,
      journal: defaultJournal,
      cache: defaultCache(),
      budgetMs: 60_000,
      sandbox: { isolation: 'auto', require: defaultIsolationLevel() },
      handlers: new Map(handlers.map((handler) => [handler.name, handler])),
      routes: [
        {
          match: { kind: ['domain'], event: ['prepare', 'migrate'], name: ['tenant-*'] },
          handlers: ['naming', 'quota'],
        },
        { match: { driver: ['qemu'] }, handlers: ['vfio'] },
        { match: { kind: ['daemon', 'domain'] }, handlers: ['events_script'] },
      ],
      doubts: [],
    });
  });

  it('fills in every default', () => {
    for (const rest of ['', 'handlers:\nroutes:\nlimits:\njournal:\n', 'handlers: {}\nroutes: []\n']) {
      expect(parseConfig(`version: 1\n${rest}`, file)).toStrictEqual({
        file,
        socket: '/run/hookvisor/hookvisor.sock',
        readers: null,
        journal: defaultJournal,
        cache: defaultCache(),
        budgetMs: 60_000,
        sandbox: { isolation: 'auto', require: defaultIsolationLevel() },
        handlers: new Map(),
        routes: [],
        doubts: [],
      });
    }
  });

  it("takes the RFC's two variables alone", () => {
    const { handlers, routes } = parseConfig('version: 1\nevents_script: /x\nevents_set: daemon domain\n', file);
    expect([...handlers.keys()]).toEqual(['events_script']);
    expect(routes).toEqual([{ match: { kind: ['daemon', 'domain'] }, handlers: ['events_script'] }]);
  });

  it('takes a set of events as a list, and no set as all kinds', () => {
    expect(parseConfig('version: 1\nevents_script: /x\nevents_set: [daemon]\n', file).routes[0]?.match).toEqual({
      kind: ['daemon'],
    });
    expect(parseConfig('version: 1\nevents_script: /x\n', file).routes[0]?.match).toEqual({});
  });

  it('takes everything about the journal', () => {
    const keys = 'dir: /j, redact: false, sync: always, maxSize: 2TiB, maxAge: 12h, segmentSize: 1 MiB';
    expect(parseConfig(`version: 1\njournal: { ${keys} }\n`, file).journal).toStrictEqual({
      dir: '/j',
      redact: false,
      sync: 'always',
      maxBytes: 2 * 1024 ** 4,
      maxAgeMs: 12 * 3_600_000,
      segmentBytes: 1024 ** 2,
      readers: null,
    });
  });

  it('turns the journal off', () => {
    expect(parseConfig('version: 1\njournal: false\n', file).journal).toBeNull();
  });

  it("counts a relative path from the file's folder", () => {
    const text = 'version: 1\nsocket: a.sock\njournal: { dir: log }\ncache: ../cache\n';
    expect(parseConfig(text, '/srv/hv/c.yaml')).toMatchObject({
      socket: '/srv/hv/a.sock',
      journal: { dir: '/srv/hv/log' },
      cache: '/srv/cache',
    });
  });

  it('takes a socket as a path, or as a mapping with the group that may look', () => {
    const config = parseConfig('version: 1\nsocket: { path: a.sock, group: libvirt }\n', '/srv/hv/c.yaml');
    expect(config).toMatchObject({ socket: '/srv/hv/a.sock', readers: 'libvirt', journal: { readers: 'libvirt' } });
    expect(() => parseConfig('version: 1\nsocket: { grup: libvirt }\n', file)).toThrow("did you mean 'group'?");
    expect(() => parseConfig('version: 1\nsocket: { group: 7 }\n', file)).toThrow('7 is not the name of a group');
    expect(() => parseConfig('version: 1\nsocket: { role: all }\n', file)).toThrow("'all' is not a valid value");
  });

  it('lets a handler set its own limits and grants', () => {
    const text = `version: 1
limits: { fuel: 7 }
handlers:
  a: { backend: extism, source: a, failurePolicy: fail, memory: 1GiB, grants: [replace, deny-reconnect] }
  b: { backend: script, source: b, failurePolicy: fail, deadline: 500ms, grants: [] }
`;
    const { handlers } = parseConfig(text, file);
    expect(handlers.get('a')?.limits).toEqual({ deadlineMs: 2_000, fuel: 7, memoryBytes: 1024 * mebibyte });
    expect(handlers.get('a')?.grants).toEqual(new Set(['replace', 'deny-reconnect']));
    expect(handlers.get('b')).toMatchObject({ grants: new Set(), limits: { deadlineMs: 500, fuel: 7 } });
  });

  it("bounds a plugin's file by its handler's pluginSize, that of limits, or 16MiB", () => {
    const sizes = (limits: string): (number | undefined)[] => {
      const handler = 'backend: component, source: a, failurePolicy: fail';
      const text = `version: 1\n${limits}handlers: { a: { ${handler} }, b: { ${handler}, pluginSize: 512KiB } }\n`;
      return [...parseConfig(text, file).handlers.values()].map(({ pluginBytes }) => pluginBytes);
    };
    expect(sizes('')).toEqual([16 * mebibyte, mebibyte / 2]);
    expect(sizes('limits: { pluginSize: 40MiB }\n')).toEqual([40 * mebibyte, mebibyte / 2]);
  });

  it('lets a plugin be as large as what can be handed to admission, and no larger', () => {
    const text = (size: string): string => `version: 1\nlimits: { pluginSize: ${size} }\n`;
    expect(bounds.pluginBytes).toBe(64 * mebibyte);
    expect(() => parseConfig(text(String(bounds.pluginBytes)), file)).not.toThrow();
    expect(problemsOf(text(String(bounds.pluginBytes + 1)))).toEqual([
      '2:11 limits.pluginSize: 67108865 is out of range; write an amount from 1KiB to 64MiB',
    ]);
    expect(problemsOf(text('big'))).toEqual([
      "2:11 limits.pluginSize: 'big' is not an amount of data; write 16MiB, 512KiB or a number of bytes",
    ]);
    expect(
      problemsOf('version: 1\nhandlers:\n  a: { source: x, backend: script, failurePolicy: fail, pluginSize: 1MiB }\n'),
    ).toEqual(["3:57 handlers.a.pluginSize: applies to plug-ins only, and 'a' is a script; remove it"]);
  });
});

describe('the keys of scripts and of the budget', () => {
  it('are read', () => {
    const text = `version: 1\nbudget: 90s\nhandlers: { x: { backend: script, source: /t, layout: tree, libvirtAccess: deny, failurePolicy: fail } }`;
    const { budgetMs, handlers } = parseConfig(text, '/c.yaml');
    expect(budgetMs).toBe(90_000);
    expect(handlers.get('x')).toMatchObject({ layout: 'tree', libvirtAccess: 'deny' });
  });

  it.each(['layout: tree', 'libvirtAccess: deny'])('refuse %s of a plugin', (key) => {
    const text = `version: 1\nhandlers: { x: { backend: extism, source: /t, ${key}, failurePolicy: fail } }`;
    expect(() => parseConfig(text, '/c.yaml')).toThrow("applies to scripts only, and 'x' is a plug-in; remove it");
  });
});

describe('a configuration with mistakes', () => {
  it('has all five of them reported, each with its line', () => {
    const text = `version: 1
sockett: /run/x.sock
handlers:
  naming:
    backend: componet
    source: naming.wasm
    deadline: 2 parsecs
    failurePolicy: { fallback: naming-scirpt }
  naming-script: { backend: script, source: /x, failurePolicy: fail }
routes:
  - match: {}
    handlers: [namin]
`;
    expect(problemsOf(text)).toEqual([
      `2:1 sockett: unknown key; did you mean 'socket'?`,
      `5:5 handlers.naming.backend: 'componet' is not a valid value; did you mean 'component'?`,
      `7:5 handlers.naming.deadline: '2 parsecs' is not a duration; write 500ms, 2s or 1m`,
      `8:22 handlers.naming.failurePolicy.fallback: no handler 'naming-scirpt' exists; did you mean 'naming-script'?`,
      `12:16 routes[0].handlers[0]: no handler 'namin' exists; did you mean 'naming'?`,
    ]);
    expect(errorOf(text).problems[2]).toEqual({
      path: 'handlers.naming.deadline',
      line: 7,
      column: 5,
      message: `'2 parsecs' is not a duration; write 500ms, 2s or 1m`,
    });
    expect(errorOf(text).fields).toEqual({ file: 'hookvisor.yaml', problems: 5 });
  });

  const handlerAt = (keys: string): string => `version: 1\nhandlers:\n  a: { source: x, ${keys} }\n`;
  const script = 'backend: script, failurePolicy: fail';
  const extism = 'backend: extism, failurePolicy: fail';

  it.each([
    ['the version is missing', 'socket: /x', ['1:1 version: missing; write version: 1']],
    [
      'the version is another',
      'version: 2',
      ['1:1 version: 2 is not a version that this release supports; write version: 1'],
    ],
    ['the file is empty', '', [`1:1 is empty; start with 'version: 1'`]],
    [
      'the root is a list',
      '- version: 1',
      ['1:1 a list is not a mapping; write its keys (version, socket, journal, …) below it'],
    ],
    [
      'what the journal may take is out of range',
      'version: 1\njournal: { maxAge: 2s, maxSize: 1KiB, segmentSize: 1GiB, sync: maybe }',
      [
        "2:12 journal.maxAge: '2s' is not an age; write 90d, 12h or 30m",
        "2:24 journal.maxSize: '1KiB' is out of range; write an amount from 1MiB to 16TiB",
        "2:39 journal.segmentSize: '1GiB' is out of range; write an amount from 64KiB to 256MiB",
        "2:58 journal.sync: 'maybe' is not a valid value; write always or interval",
      ],
    ],
    [
      'a key is far from all known ones',
      'version: 1\njournal: { zzzzzz: 1 }',
      ['2:12 journal.zzzzzz: unknown key; valid keys are dir, redact, sync, maxSize, maxAge, segmentSize'],
    ],
    [
      'a path is none',
      'version: 1\ncache: 3\nsocket: ""',
      [
        `2:1 cache: 3 is not a path; write the path of a file`,
        `3:1 socket: '' is not a path; write the path of a file`,
      ],
    ],
    [
      'a flag is none',
      'version: 1\njournal: { redact: perhaps }',
      [`2:12 journal.redact: 'perhaps' is not a boolean; write true or false`],
    ],
    [
      'limits are none',
      'version: 1\nlimits: { deadline: 11m, fuel: 0, memory: 8GiB }',
      [
        `2:11 limits.deadline: '11m' is out of range; write a duration from 1ms to 10m`,
        `2:26 limits.fuel: 0 is not an amount of fuel; write a whole number, at least 1, such as 50_000_000`,
        `2:35 limits.memory: '8GiB' is out of range; write an amount from 64KiB to 4GiB`,
      ],
    ],
    [
      'a handler lacks what it needs',
      'version: 1\nhandlers:\n  a: {}',
      [
        '3:3 handlers.a.backend: missing; write script, component, extism',
        '3:3 handlers.a.source: missing; write the path of the script or the .wasm file',
        '3:3 handlers.a.failurePolicy: missing; write how to treat a failure: fail (deny), ignore (allow) or { fallback: HANDLER }',
      ],
    ],
    [
      'a required key is misspelled',
      handlerAt('backend: script, failure_policy: fail'),
      [`3:36 handlers.a.failure_policy: unknown key; did you mean 'failurePolicy'?`],
    ],
    [
      'a failure policy is none',
      handlerAt('backend: script, failurePolicy: retry'),
      [`3:36 handlers.a.failurePolicy: 'retry' is not a failure policy; write fail, ignore or { fallback: HANDLER }`],
    ],
    [
      'a mode is none',
      handlerAt(`${script}, mode: monitr`),
      [`3:57 handlers.a.mode: 'monitr' is not a valid value; did you mean 'monitor'?`],
    ],
    [
      'a grant is none',
      handlerAt(`${extism}, grants: [replac, deny-prepare]`),
      [
        `3:66 handlers.a.grants[0]: 'replac' is not a grant; did you mean 'replace'?`,
        `3:74 handlers.a.grants[1]: 'deny-prepare' is not a grant; write replace, deny-start, deny-shutdown, deny-reload, deny-started, deny-stopped, deny-release, deny-reconnect, deny-attach, deny-port-deleted or deny-updated`,
      ],
    ],
    [
      'a digest is none',
      handlerAt(`${extism}, sha256: abc`),
      [`3:57 handlers.a.sha256: 'abc' is not a digest; write the 64 digits that sha256sum prints`],
    ],
    [
      'a trust group has a bad name',
      handlerAt(`${extism}, trust: ../x`),
      [
        `3:57 handlers.a.trust: '../x' is not a valid name; write a trust group of letters, digits, '.', '_' and '-', at most 64 of them`,
      ],
    ],
    [
      'settings are not JSON',
      handlerAt(`${extism}, settings: { a: [.nan] }`),
      ['3:69 handlers.a.settings.a: a list cannot be passed to a plug-in; write a value that JSON can represent'],
    ],
    [
      'a script has what belongs to a plugin',
      handlerAt(`${script}, fuel: 1, sha256: "${digest}"`),
      [
        `3:57 handlers.a.fuel: applies to plug-ins only, and 'a' is a script; remove it`,
        `3:66 handlers.a.sha256: applies to plug-ins only, and 'a' is a script; remove it`,
      ],
    ],
    [
      'a plugin has what belongs to a script',
      handlerAt(`${extism}, arguments: rfc`),
      [`3:57 handlers.a.arguments: applies to scripts only, and 'a' is a plug-in; remove it`],
    ],
    [
      'a handler has a bad name',
      `version: 1\nhandlers:\n  "-rf\\e[2J": { source: x, ${script} }`,
      [
        String.raw`3:3 handlers.-rf\x1b[2J: '-rf\x1b[2J' is not a valid handler name; write letters, digits, '.', '_' and '-', at most 64 of them`,
      ],
    ],
    [
      'a handler falls back to itself',
      handlerAt('backend: extism, failurePolicy: { fallback: a }'),
      [`3:53 handlers.a.failurePolicy.fallback: 'a' cannot fall back to itself; name another handler`],
    ],
    [
      'fallbacks go round',
      `version: 1
handlers:
  x: { backend: extism, source: x, failurePolicy: { fallback: a } }
  a: { backend: extism, source: x, failurePolicy: { fallback: b } }
  b: { backend: extism, source: x, failurePolicy: { fallback: a } }
`,
      [
        `4:53 handlers.a.failurePolicy.fallback: the fallbacks form a cycle ('a' to 'b' to 'a'); use fail or ignore for the last one`,
      ],
    ],
    [
      'routes are wrong',
      'version: 1\nroutes:\n  - match: { kind: 3 }\n    handlers: []\n  - handlers: x\n  - match: {}\n    handlers: [a, 1]\n',
      [
        '3:14 routes[0].match.kind: 3 is not a text or a list of texts; write a, "1" or [a, b]',
        '4:5 routes[0].handlers: the list is empty; write the handlers to run, or remove the route',
        '5:5 routes[1].match: missing; write match: {} for every event',
        `5:5 routes[1].handlers: 'x' is not a list of handlers; write [NAME, …]`,
        `7:16 routes[2].handlers[0]: no handler 'a' exists; define it under handlers`,
        '7:19 routes[2].handlers[1]: 1 is not the name of a handler; write its name',
      ],
    ],
    [
      'a route names a handler twice',
      `${handlerAt(script)}routes:\n  - { match: {}, handlers: [a, a] }\n`,
      [`5:32 routes[0].handlers[1]: 'a' appears twice in this route; remove one of them`],
    ],
    [
      'the events script is relative and its set is broken',
      'version: 1\nevents_script: events\nevents_set: daemon,domain\n',
      [
        `2:1 events_script: 'events' is a relative path; write an absolute one`,
        '3:1 events_set: contains a word that is not a kind; write kinds separated by spaces, such as daemon domain',
      ],
    ],
    [
      'a set of events has no script',
      'version: 1\nevents_set: domain\n',
      ['2:1 events_set: has no effect without events_script; add events_script or remove this key'],
    ],
    [
      'a set of events is empty',
      'version: 1\nevents_script: /x\nevents_set: []\n',
      ['3:1 events_set: contains no kind; write kinds such as daemon domain, or remove the key for all kinds'],
    ],
    [
      'a handler has the name of the events script',
      `version: 1\nevents_script: /x\nhandlers:\n  events_script: { source: x, ${script} }\n`,
      [
        '4:3 handlers.events_script: this name is reserved for the key events_script; rename the handler or remove that key',
      ],
    ],
    ['a key is given twice', 'version: 1\nversion: 1\n', ['2:1 this key appears twice; remove one of them']],
    [
      'a tab indents',
      'version: 1\nlimits:\n\tfuel: 1\n',
      ['3:1 YAML does not allow tabs for indentation; indent with spaces'],
    ],
    ['a second document follows', 'version: 1\n---\na: 1\n', ['2:1 a second document starts here; remove one of them']],
    ['a quote is not closed', 'version: "1\n', ['2:1 is not valid YAML: Missing closing "quote; correct it']],
    ['a tag is unknown', 'version: !one 1\n', ['1:10 this tag is not supported; write the value without it']],
    [
      'an alias leads nowhere',
      'version: *one\n',
      [`1:10 the alias '*one' has no anchor '&one' before it; define the anchor first`],
    ],
    [
      'an alias leads into itself',
      'version: &a [*a]\n',
      [`1:14 the alias '*a' is inside its own anchor; write the value instead`],
    ],
    [
      'brackets are nested too deeply',
      `version: 1\ncache: ${'['.repeat(100)}${']'.repeat(100)}\n`,
      ['1:1 is nested deeper than 64 levels; reduce the nesting'],
    ],
    [
      'aliases are too many',
      `version: 1\ncache: &a x\nroutes: [${'*a,'.repeat(101)}]\n`,
      ['3:310 more than 100 aliases are used; write the values instead'],
    ],
  ])('is refused when %s', (_, text, problems) => {
    const found = problemsOf(text);
    if (text.startsWith('version: !one')) expect(found).toEqual(expect.arrayContaining(problems));
    else expect(found).toEqual(problems);
  });

  it('says that a socket has too long a path', () => {
    const error = errorOf(`version: 1\nsocket: ${'s'.repeat(100)}\n`, '/etc/hookvisor/h.yaml');
    expect(error.message).toContain(
      `:2:1 socket: the absolute path has 115 bytes, but a socket path may have at most 107; write a shorter one`,
    );
  });

  it('is refused when aliases would expand without end', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [before, name] of ['ab', 'bc', 'cd', 'de', 'ef'])
      bomb.push(`${name}: &${name} [${`*${before},`.repeat(10)}]`);
    expect(problemsOf(`${bomb.join('\n')}\n`)[0]).toContain('write the values instead of aliases');
  });

  it('is refused, and nothing else happens, when brackets exhaust the parser', () => {
    expect(problemsOf('['.repeat(20_000))[0]).toMatch(/is nested too deeply to parse; reduce the nesting$/u);
  });
});

describe('any text', () => {
  it('is a configuration or a ConfigError', () => {
    const key = fc.constantFrom(
      'version',
      'handlers',
      'routes',
      'limits',
      'match',
      'failurePolicy',
      'fallback',
      'a',
      '',
    );
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(
        fc.constantFrom(1, 'script', 'a', null, 'domain', '__proto__'),
        fc.string(),
        fc.double(),
        fc.boolean(),
      ),
      tree: fc.oneof({ maxDepth: 5 }, tie('leaf'), fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
    }));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('a', ':', ' ', '\n', '-', '[', ']', '{', '}', '&', '*', '"', '|', '\t', '!', '#'),
      }),
      tree.map((value) => JSON.stringify(value)),
      fc
        .record({ version: fc.constant(1), handlers: tree, routes: tree, events_script: tree })
        .map((v) => JSON.stringify(v)),
      fc.tuple(fc.nat(whole.length), fc.string()).map(([at, bad]) => whole.slice(0, at) + bad + whole.slice(at + 3)),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          parseConfig(input, 'hookvisor.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          if (error instanceof ConfigError) expect(error.problems.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('loadConfig', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hookvisor-config-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('reads the starting configuration of the examples', async () => {
    const config = await loadConfig(join(packageRoot, 'examples/hookvisor.yaml'));
    expect([...config.handlers.keys()]).toEqual(['site-script']);
  });

  it('says what keeps a file from being read', async () => {
    const missing = join(folder, 'missing.yaml');
    const latin = join(folder, 'latin1.yaml');
    const large = join(folder, 'large.yaml');
    await writeFile(latin, Buffer.from([0x61, 0x3a, 0x20, 0xe4, 0x0a]));
    await writeFile(large, '#'.repeat(4 * mebibyte + 1));
    const reasons = [
      [missing, 'it does not exist; create it, or specify another with --config'],
      [latin, 'it is not UTF-8 text; save it as UTF-8'],
      [large, 'it has 4194305 bytes, but at most 4194304 are allowed; specify a configuration file'],
      [folder, 'it is not a file; specify a YAML file'],
    ] as const;
    for (const [path, reason] of reasons) {
      await expect(loadConfig(path)).rejects.toMatchObject({
        name: 'ConfigError',
        code: 'config-unreadable',
        message: `Cannot read the configuration '${path}': ${reason}`,
        problems: [],
      });
    }
  });
});

describe('defaultCache', () => {
  it("is the system's for root and the user's own for others", () => {
    expect(defaultCache({ XDG_CACHE_HOME: '/x' }, 0)).toBe('/var/cache/hookvisor');
    expect(defaultCache({ XDG_CACHE_HOME: '/x' }, 1000)).toBe('/x/hookvisor');
    expect(defaultCache({ XDG_CACHE_HOME: 'x' }, 1000)).toMatch(/\/\.cache\/hookvisor$/u);
    expect(defaultCache({}, 1000)).toMatch(/\/\.cache\/hookvisor$/u);
  });
});

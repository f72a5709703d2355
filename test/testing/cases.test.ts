import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/runtime/config/config-error.js';
import { findCaseFiles, readCases } from '../../src/testing/cases.js';
import { temporaryFolder, write } from '../support/temp.js';

async function casesOf(text: string) {
  const dir = temporaryFolder();
  await write(dir, 'domain.xml', '<domain/>');
  return readCases(await write(dir, 'cases.yaml', text));
}

async function mistakesIn(text: string): Promise<string[]> {
  const thrown: unknown = await casesOf(text).catch((error: unknown) => error);
  if (!(thrown instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: thrown });
  return thrown.message.split('\n').map((line) => line.replace(/^.*cases\.yaml:/u, ''));
}

describe('a file of cases', () => {
  it('describes an event as libvirt calls it, or in the words of the RFC', async () => {
    const { cases } = await casesOf(`
cases:
  - { name: a, argv: [web, prepare, begin, '-'], driver: lxc, expect: allow }
  - { name: b, event: { kind: network, name: default, event: start, qualifier: begin }, expect: allow }
`);
    expect(cases.map(({ call }) => call)).toEqual([
      { argv: ['web', 'prepare', 'begin', '-'], driver: 'lxc', document: null },
      { kind: 'network', name: 'default', event: 'start', qualifier: 'begin', extra: null, document: null },
    ]);
  });

  it('takes documents from files beside it', async () => {
    const { cases } = await casesOf(
      'cases: [{ name: a, argv: [web, prepare], document: { file: domain.xml }, expect: allow }]',
    );
    expect(cases[0]?.call.document).toBe('<domain/>');
  });

  it('is as many cases as its matrix has rows, each over the settings of the case', async () => {
    const { cases } = await casesOf(`
defaults: { argv: [web, prepare], settings: { a: 1 } }
cases:
  - name: many
    settings: { b: 2 }
    matrix:
      - { settings: { c: 3 }, expect: allow }
      - { name: last, limits: { fuel: 5 }, expect: { failure: out-of-fuel } }
`);
    expect(cases.map(({ name, settings, limits, line }) => ({ name, settings, limits, line }))).toEqual([
      { name: 'many › {"c":3}', settings: { b: 2, c: 3 }, limits: {}, line: 7 },
      { name: 'many › last', settings: { b: 2 }, limits: { fuel: 5 }, line: 8 },
    ]);
  });

  it('lists every mistake with its line', async () => {
    const mistakes = await mistakesIn(`
cases:
  - { name: a, argv: [web, prepare], expect: alow }
  - { name: b, argv: [web, prepare], expect: { outcome: deny, failure: trap } }
  - { name: c, argv: [web, prepare], expect: { outcome: deny, reason: /(/ } }
  - { nam: d, argv: [web, prepare], expect: allow }
  - { name: e, argv: [web, prepare], limits: { fuel: much }, expect: allow }
`);
    expect(mistakes).toEqual([
      expect.stringContaining('it has 5 problems; correct the following'),
      "3:38 cases[0].expect: 'alow' is not a valid value; did you mean 'allow'?",
      '4:38 cases[1].expect: has 2 of outcome, failure and refused; write exactly one',
      "5:63 cases[2].expect.reason: '/(/' is not a valid regular expression; correct it",
      "6:7 cases[3].nam: unknown key; did you mean 'name'?",
      "7:48 cases[4].limits.fuel: 'much' is not an amount of fuel; write a whole number, at least 1, such as 50_000_000",
    ]);
  });

  it('says which case has no event, no expectation or no document', async () => {
    const mistakes = await mistakesIn(`
cases:
  - { name: a, expect: allow }
  - { name: b, argv: [web, prepare] }
  - { name: c, argv: [web, prepare], document: { file: none.xml }, expect: allow }
`);
    expect(mistakes.slice(1)).toEqual([
      '3:5 cases[0]: has no event; write argv: [NAME, OPERATION, SUBOPERATION, EXTRA]',
      '4:5 cases[1]: has no expectation; write expect: allow, or a matrix',
      expect.stringMatching(/^5:38 cases\[2\]\.document: the file '.*none\.xml' cannot be read: ENOENT/u),
    ]);
  });

  it('is not YAML: the line is named', async () => {
    expect(await mistakesIn('cases:\n\t- x')).toEqual([
      expect.anything(),
      expect.stringMatching(/^2:1 YAML does not allow tabs/u),
    ]);
  });
});

describe('the case files of a folder', () => {
  it('are cases.yaml and those in cases/', async () => {
    const dir = temporaryFolder();
    const names = ['cases.yaml', 'cases/b.yaml', 'cases/a.yml'];
    for (const name of names) await write(dir, name, '');
    await write(dir, 'cases/notes.txt', '');
    expect((await findCaseFiles(dir)).map((file) => file.slice(dir.length + 1))).toEqual([
      'cases.yaml',
      'cases/a.yml',
      'cases/b.yaml',
    ]);
  });

  it('a folder without any says what to write', async () => {
    const dir = temporaryFolder();
    await expect(findCaseFiles(dir)).rejects.toMatchObject({
      code: 'usage',
      message: `Cannot test '${dir}': it has no cases; create ${dir}/cases.yaml, or specify another folder`,
    });
  });
});

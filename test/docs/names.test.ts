import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CommandContext } from '../../src/commands/command.js';
import { loadCommands } from '../../src/commands/commands.js';
import { completionCommand } from '../../src/commands/completion.js';
import { processTerminal } from '../../src/commands/terminal/terminal.js';
import { ConfigError } from '../../src/runtime/config/config-error.js';
import { isMapping } from '../../src/runtime/config/mapping.js';
import { parseConfig } from '../../src/runtime/config/load.js';
import { packageRoot } from '../../src/shared/paths.js';

/** Options of other programs that the pages name on their own: of AssemblyScript's compiler, and of this package's scripts. */
const foreignOptions = new Set(['--use', '--runtime', '--require']);
/** A block of YAML with one of these is a configuration, or a part of one. */
const configKeys = ['version', 'handlers', 'routes', 'journal', 'sandbox', 'socket', 'cache'];

const guides = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(packageRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  ...readdirSync(join(packageRoot, 'plugins'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join('plugins', name, 'README.md')),
];
const sources = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));
const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8');

const context: CommandContext = { terminal: processTerminal(), finish: () => undefined };
const program = new Command();
const commands = (await loadCommands(undefined)).map((make) => make(context));
commands.push(completionCommand(context, program));
const all = new Map(commands.map((command) => [command.name(), command]));
const common = new Set(['--help', '--version']);

function optionsOf(command: Command): Set<string> {
  const own = [command, ...command.commands].flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
  return new Set([...own, ...common]);
}

/** Code spans, and the lines of code blocks. */
function codeIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```(?:sh|console|)\n(.*?)^```/gmsu)].flatMap(([, body = '']) =>
    body.split('\n'),
  );
  const prose = markdown.replaceAll(/^```.*?^```/gmsu, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/gu)].flatMap(([, span]) => span ?? []);
  return [...blocks, ...spans];
}

/** What is wrong with the commands of hookvisor in a piece of code or of a message. */
function wrongIn(code: string): string[] {
  const wrong: string[] = [];
  for (const [, name = '', rest = ''] of code.matchAll(/(?<![\w/.:'-])hookvisor ([a-z][a-z-]+)([^|;&#`'"]*)/gu)) {
    const command = all.get(name);
    if (command === undefined) {
      wrong.push(`hookvisor ${name}`);
      continue;
    }
    const known = optionsOf(command);
    for (const [option] of rest.matchAll(/(?<=\s)--[a-z][a-z-]*/gu)) {
      if (!known.has(option)) wrong.push(`hookvisor ${name} ${option}`);
    }
  }
  return wrong;
}

/** Whether the configuration has a key, such as `handlers.NAME.memory` or `journal.dir`. */
function isKey(path: string): boolean {
  const [top = '', ...rest] = path.split('.');
  const inner = top === 'handlers' ? ['any', ...rest.slice(1)] : rest;
  const value = inner.reduceRight<unknown>((below, key) => ({ [key]: below }), null);
  try {
    parseConfig(
      JSON.stringify({
        version: 1,
        [top]: top === 'routes' ? [inner.length > 0 ? { [inner.at(-1) ?? '']: null } : {}] : value,
      }),
      '/f.yaml',
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return !error.problems.some(({ message }) => message.startsWith('unknown key'));
  }
}

/** Keys of blocks of YAML that are a configuration or a part of one. */
function keysIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```yaml\n(.*?)^```/gmsu)].flatMap(([, body = '']) => {
    const value: unknown = parse(body);
    if (!isMapping(value) || !configKeys.some((key) => key in value)) return [];
    return Object.entries(value).flatMap(([top, below]) => {
      if (top === 'handlers' && isMapping(below)) {
        return Object.values(below).flatMap((one) =>
          isMapping(one) ? Object.keys(one).map((key) => `handlers.NAME.${key}`) : [],
        );
      }
      if (isMapping(below) && ['journal', 'sandbox'].includes(top)) {
        return Object.keys(below).map((key) => `${top}.${key}`);
      }
      return [top];
    });
  });
}

describe.each(guides)('%s', (file) => {
  const text = read(file);
  const code = codeIn(text);

  it('names only commands and options that exist', () => {
    expect(code.flatMap(wrongIn)).toEqual([]);
    const options = new Set(commands.flatMap((command) => [...optionsOf(command)]));
    const alone = code.flatMap((span) => /^(--[a-z][a-z-]*)/u.exec(span)?.[1] ?? []);
    expect(alone.filter((option) => !options.has(option) && !foreignOptions.has(option))).toEqual([]);
  });

  it('names only keys of the configuration that exist', () => {
    const dotted = code.filter(
      (span) => /^(?:handlers|journal|sandbox|routes)(?:\.[A-Za-z]+)+$/u.test(span) && !span.endsWith('.ts'),
    );
    expect([...dotted, ...keysIn(text)].filter((key) => !isKey(key))).toEqual([]);
  });
});

describe('messages and help', () => {
  it('name only commands and options that exist', () => {
    expect(sources.flatMap((file) => wrongIn(read(file)).map((wrong) => `${file}: ${wrong}`))).toEqual([]);
  });

  it('advise only keys of the configuration that exist', () => {
    const advice =
      /\b(?:raise|lower|set|remove|correct|change|add)(?: it| the| its| key| or| handler's)* '([A-Za-z]+(?:\.[A-Za-z]+)*)(?::[^']*)?'/gu;
    const advised = sources.flatMap((file) => [...read(file).matchAll(advice)].flatMap(([, key]) => key ?? []));
    expect(advised.length).toBeGreaterThan(8);
    const known = (key: string): boolean =>
      isKey(key) || isKey(`handlers.NAME.${key}`) || isKey(`journal.${key}`) || isKey(`sandbox.${key}`);
    expect(advised.filter((key) => !known(key))).toEqual([]);
  });
});

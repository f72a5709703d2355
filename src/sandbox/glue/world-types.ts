import { HookvisorError } from '../../errors.js';

/** The functions of wit/ as jco declares them in TypeScript, by the file of their interface. */
const functions: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'interfaces/hookvisor-hook-document.d.ts',
    new Set(['text(): string | undefined', 'select(xpath: string): Array<string>']),
  ],
  ['interfaces/hookvisor-hook-settings.d.ts', new Set(['json(): string'])],
  ['interfaces/hookvisor-hook-log.d.ts', new Set(['write(level: Level, message: string): void'])],
  ['interfaces/hookvisor-hook-handler.d.ts', new Set(['handle(event: Event): Outcome'])],
  ['interfaces/hookvisor-hook-configurable.d.ts', new Set(['validate(): void'])],
]);

const eventFields =
  'id: string, time: bigint, kind: string, name: string, event: string, qualifier: string, extra?: string, ' +
  'driver: string, uuid?: string,';

/**
 * Checks the types behind the names of a component's imports and exports, as jco declared them: a component may use the
 * right names with other types. Throws HookvisorError `plugin-invalid`.
 */
export function checkWorldTypes(declarations: ReadonlyMap<string, string>): void {
  for (const [file, text] of declarations) {
    const expected = functions.get(file);
    if (expected === undefined) continue;
    for (const [, signature = ''] of text.matchAll(/^export function (.*);$/gmu)) {
      if (!expected.has(signature)) throw otherTypes(file, signature);
    }
  }
  const types = declarations.get('interfaces/hookvisor-hook-types.d.ts') ?? '';
  const event = /export interface Event \{([^}]*)\}/u.exec(types)?.[1]?.replace(/\s+/gu, ' ').trim();
  if (event !== eventFields) throw otherTypes('interfaces/hookvisor-hook-types.d.ts', `event { ${event ?? ''} }`);
}

function otherTypes(file: string, found: string): HookvisorError {
  const name = /hookvisor-hook-([a-z]+)/u.exec(file)?.[1] ?? file;
  return new HookvisorError(
    'plugin-invalid',
    `Cannot admit the plugin: its interface 'hookvisor:hook/${name}@0.1.0' has other types (${found}); ` +
      `build it with the WIT of this release`,
  );
}

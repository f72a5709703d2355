import type { Findings } from './vet.js';
import type { VetClaim } from '../contract/vet-report.js';

/** Lists what an admitted plug-in can and cannot do, in plain words, each with its evidence. */
export function abilitiesOf(findings: Findings, memoryBytes: number): { can: VetClaim[]; cannot: VetClaim[] } {
  const own = findings.backend === 'component' ? ofComponent(findings) : ofExtism(findings);
  const nothing = findings.imports.length === 0 ? 'it imports nothing' : `it imports nothing but ${own.from}`;
  const cannot = (ability: string, evidence: string): VetClaim => ({ ability, evidence });
  return {
    can: own.claims.flatMap(({ has, ...claim }) => (has ? [claim] : [])),
    cannot: [
      ...own.claims.flatMap(({ has, ability, without }) => (has ? [] : [cannot(ability, without)])),
      cannot('call libvirt', `${nothing}, so it can reach no socket and no program`),
      cannot('open a file or a folder', `no WASI and no other file system interface: ${nothing}`),
      cannot('use the network', `no sockets and no HTTP: ${nothing}`),
      cannot('start, signal or see a process', nothing),
      cannot('read the environment or the command line', nothing),
      cannot(
        'read the clock or generate random numbers',
        'it imports no clock and no source of random numbers; the time is a field of the event',
      ),
      cannot('keep state from one event to the next', 'each event gets a fresh instance'),
      cannot('run without end', 'fuel is counted in every function and loop of the hardened modules'),
      cannot(
        `use more than ${memoryBytes} bytes of memory`,
        'maxima are built into every memory and table of the hardened modules',
      ),
      cannot('share memory', 'it has no shared memory and no threads'),
    ],
  };
}

/** An ability: the evidence if the plug-in has it, and the evidence if it does not. */
interface Ability extends VetClaim {
  readonly has: boolean;
  readonly without: string;
}

function ofComponent({ imports, validates }: Findings): { claims: Ability[]; from: string } {
  const imported = (name: string, ability: string): Ability => {
    const found = `hookvisor:hook/${name}@0.1.0`;
    return {
      ability,
      has: imports.includes(found),
      evidence: `it imports ${found}`,
      without: `it does not import ${found}`,
    };
  };
  return {
    from: `hookvisor:hook/{${imports.map((name) => /\/(.*)@/u.exec(name)?.[1] ?? name).join(', ')}}@0.1.0`,
    claims: [
      decides('it exports hookvisor:hook/handler@0.1.0'),
      imported('document', "read the event's document, whole (text) or by XPath (select)"),
      imported('settings', 'read its settings (settings.json)'),
      imported('log', "write messages to the event's record (log.write)"),
      checksSettings(validates, 'hookvisor:hook/configurable@0.1.0'),
    ],
  };
}

function ofExtism({ imports, validates }: Findings): { claims: Ability[]; from: string } {
  const imported = (pattern: RegExp, ability: string): Ability => {
    const found = imports.filter((name) => pattern.test(name)).map((name) => name.replace('extism:host/env ', ''));
    return {
      ability,
      has: found.length > 0,
      evidence: `it imports ${found.join(', ')}`,
      without: "it imports none of Extism's functions for that",
    };
  };
  return {
    from: "Extism's own kernel functions, without those for HTTP",
    claims: [
      decides('it exports handle'),
      imported(/input_/u, 'read the event and its document (the input)'),
      imported(/config_get$/u, 'read its settings (config)'),
      imported(/log_/u, "write messages to the event's record"),
      checksSettings(validates, 'validate'),
    ],
  };
}

function decides(evidence: string): Ability {
  const ability = "decide an event: allow, deny or, if the handler has the grant 'replace', replace the document";
  return { ability, has: true, evidence, without: '' };
}

function checksSettings(has: boolean, name: string): Ability {
  const ability = 'check its own settings when it is loaded';
  return { ability, has, evidence: `it exports ${name}`, without: `it does not export ${name}` };
}

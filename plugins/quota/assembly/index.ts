import { Host, LogLevel, Memory } from '@extism/as-pdk';
import { error_set } from '@extism/as-pdk/lib/env';
import { NONE, sizeText } from './amounts';
import { readDomain } from './domain';
import { JsonReader, jsonString } from './json';
import { readSettings, Settings } from './settings';

/** Decides one event: input and output are JSON of Hookvisor's contract. Anything but 0 is a failure, no decision. */
export function handle(): i32 {
  const input = readInput(Host.input());
  if (input.kind != 'domain' || !isDecided(input.event)) return allow();
  const settings = readSettings();
  if (settings.problem != '') return fail('the settings cannot be used: ' + settings.problem);
  const document = input.document;
  if (document === null) return fail('the event has no document');
  const domain = readDomain(document);
  if (domain.problem != '') return fail('the document cannot be read: ' + domain.problem);
  const reason = objection(settings, domain.memoryBytes, domain.vcpus);
  if (reason == '') {
    Host.log(
      LogLevel.Debug,
      `${sizeText(domain.memoryBytes)} of memory and ${domain.vcpus} vCPUs are within the limits`,
    );
    return allow();
  }
  output(`{"outcome":"deny","reason":${jsonString(reason)}}`);
  return 0;
}

/** Checks the settings: no output when they can be used. */
export function validate(): i32 {
  const problem = readSettings().problem;
  if (problem != '') output(`{"error":${jsonString(problem)}}`);
  return 0;
}

/** What `handle` needs of its input. */
class Input {
  kind: string = '';
  event: string = '';
  document: Uint8Array | null = null;
}

function readInput(json: Uint8Array): Input {
  const input = new Input();
  const reader = new JsonReader(json);
  reader.enter();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key == 'document') input.document = reader.stringOrNull();
    else if (key == 'event') readEvent(reader, input);
    else reader.skip();
  }
  return input;
}

function readEvent(reader: JsonReader, input: Input): void {
  reader.enter();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key == 'kind') input.kind = reader.text();
    else if (key == 'event') input.event = reader.text();
    else reader.skip();
  }
}

/** The operations that a denial ends cleanly; whatever comes later has happened already. */
function isDecided(event: string): bool {
  return event == 'prepare' || event == 'start' || event == 'migrate' || event == 'restore';
}

function objection(settings: Settings, memoryBytes: u64, vcpus: u64): string {
  let reason = '';
  if (settings.maxMemoryMiB != NONE && memoryBytes > <u64>settings.maxMemoryMiB * 1048576) {
    reason = `the domain has ${sizeText(memoryBytes)} of memory, the limit is ${settings.maxMemoryMiB} MiB`;
  }
  if (settings.maxVcpus != NONE && vcpus > <u64>settings.maxVcpus) {
    reason += reason == '' ? 'the domain has ' : '; it has ';
    reason += `${vcpus} vCPUs, the limit is ${settings.maxVcpus}`;
  }
  return reason;
}

function allow(): i32 {
  output('{"outcome":"allow"}');
  return 0;
}

function fail(problem: string): i32 {
  error_set(Memory.allocateString(problem).offset);
  return 1;
}

/** `Host.outputString` counts UTF-16 units where it needs bytes, and fails on anything but ASCII. */
function output(text: string): void {
  Host.output(Uint8Array.wrap(String.UTF8.encode(text)));
}

import { Host, LogLevel, Memory } from '@extism/as-pdk';
import { error_set } from '@extism/as-pdk/lib/env';
import { NONE, sizeText } from './amounts';
import { Domain, readDomain } from './domain';
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
  const reason = objection(settings, domain);
  if (reason == '') {
    Host.log(
      LogLevel.Debug,
      `${sizeText(domain.memoryBytes)} of memory, ${domain.vcpus} vCPUs and ${domain.disks} disks are within the limits`,
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

function objection(settings: Settings, domain: Domain): string {
  const exceeded: string[] = [];
  if (settings.maxMemoryMiB != NONE && domain.memoryBytes > <u64>settings.maxMemoryMiB * 1048576) {
    exceeded.push(`${sizeText(domain.memoryBytes)} of memory, the limit is ${settings.maxMemoryMiB} MiB`);
  }
  if (settings.maxVcpus != NONE && domain.vcpus > <u64>settings.maxVcpus) {
    exceeded.push(`${domain.vcpus} vCPUs, the limit is ${settings.maxVcpus}`);
  }
  if (settings.maxDisks != NONE && domain.disks > <u64>settings.maxDisks) {
    exceeded.push(`${domain.disks} disks, the limit is ${settings.maxDisks}`);
  }
  return exceeded.length == 0 ? '' : 'the domain has ' + exceeded.join('; it has ');
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

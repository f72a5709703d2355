import { Config, Host } from '@extism/as-pdk';
import { JsonReader, jsonString } from './json';

/** Decides one event; input and output are JSON of the contract. A return value other than 0 is a failure, not a denial. */
export function handle(): i32 {
  const event = readEvent();
  if (event.kind != 'domain' || !isDecided(event.operation)) return answer('{"outcome":"allow"}');
  const max = maxLength();
  if (max == 0) return 1;
  if (event.name.length <= max) return answer('{"outcome":"allow"}');
  const reason = `the name has ${event.name.length} characters, at most ${max} are allowed; choose a shorter one`;
  return answer(`{"outcome":"deny","reason":${jsonString(reason)}}`);
}

/** Runs once, when the configuration is loaded. Returns no output when the settings are valid. */
export function validate(): i32 {
  if (maxLength() == 0) answer('{"error":"maxLength must be a whole number from 1"}');
  return 0;
}

/** The part of an event that the handler needs. */
class Event {
  kind: string = '';
  name: string = '';
  operation: string = '';
}

function readEvent(): Event {
  const event = new Event();
  const reader = new JsonReader(Host.input());
  reader.enter();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key == 'event') readWords(reader, event);
    else reader.skip();
  }
  return event;
}

function readWords(reader: JsonReader, event: Event): void {
  reader.enter();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key == 'kind') event.kind = reader.text();
    else if (key == 'name') event.name = reader.text();
    else if (key == 'event') event.operation = reader.text();
    else reader.skip();
  }
}

/** The operations that a denial aborts cleanly; later ones have already happened. */
function isDecided(operation: string): bool {
  return operation == 'prepare' || operation == 'start' || operation == 'migrate' || operation == 'restore';
}

/** Reads the settings of the administrator; 0 when they are not valid. Must match settings.schema.json. */
function maxLength(): i32 {
  const text = Config.get('maxLength');
  if (text === null || text.length == 0 || text.length > 4) return 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return 0;
  }
  return i32.parse(text);
}

function answer(json: string): i32 {
  Host.output(Uint8Array.wrap(String.UTF8.encode(json)));
  return 0;
}

import { loadLevel, storeDocument, storeSelection, storeSettings } from './canonical-abi.js';
import { coreFunction, exportOf, flagsOf, guestMemory, memoryOf, requireMayLeave } from './component-live.js';
import type { Live } from './component-live.js';
import type { ExportRef, ImportValue } from '../contract/component-plan.js';
import { bytesAt } from './guest-memory.js';
import type { GuestMemory } from './guest-memory.js';
import { loadBeginning, requireText, textAt } from './guest-text.js';
import { costOfCall, costOfCopy, costOfGlance, readXPathChars } from './host-cost.js';
import { bounds, pageBytes } from '../contract/limits.js';
import { trap } from './trap.js';

type Planned<Is extends ImportValue['is']> = Extract<ImportValue, { is: Is }>;

/**
 * Returns the imports of a core module for one instance. Exports of other core instances are looked up on first use,
 * and the plug-in pays for all work before it is done.
 */
export function makeImport(live: Live, value: ImportValue): unknown {
  const { resources, context } = live;
  const { charge } = live.host;
  switch (value.is) {
    case 'export':
      return exportOf(live, value.ref);
    case 'host':
      return hostCall(live, value);
    case 'flags':
      return flagsOf(live, value.instance);
    case 'enter':
      return (_caller: number, _isAsync: number, callee: number) => {
        charge(costOfCall(0));
        resources.enter(callee);
      };
    case 'exit':
      return () => {
        charge(costOfCall(0));
        resources.exit();
      };
    case 'context-get':
      return () => {
        charge(costOfGlance);
        return context[value.slot === 0 ? 0 : 1];
      };
    case 'context-set':
      return (word: number) => {
        charge(costOfGlance);
        context[value.slot === 0 ? 0 : 1] = word;
      };
    case 'trap':
      return () => {
        charge(costOfCall(0));
        throw trap(value.message);
      };
    case 'copy':
      return copy(live, value.from, value.to);
    case 'access':
      return accessor(live, value);
    case 'pages':
      return () => {
        charge(costOfGlance);
        return memoryOf(live, value.memory).buffer.byteLength / pageBytes;
      };
    case 'transfer-own':
    case 'transfer-borrow':
      return transfer(live, value.is === 'transfer-own' ? resources.transferOwn : resources.transferBorrow);
    case 'resource-new':
      return onResource(live, value.instance, (rep) => resources.create(value.table, rep));
    case 'resource-rep':
      return onResource(live, null, (handle) => resources.rep(value.table, handle));
    case 'resource-drop':
      return onResource(live, value.instance, (handle) => {
        const rep = resources.drop(value.table, handle);
        if (rep !== null && value.destructor !== null) coreFunction(live, value.destructor)(rep);
        return 0;
      });
  }
}

type OnResource = (value: number) => number;

/** Returns a function that, if an instance is given, only this instance can call, and only while it may call out. */
function onResource(live: Live, instance: number | null, work: OnResource): OnResource {
  const flags = instance === null ? null : flagsOf(live, instance);
  return (value) => {
    live.host.charge(costOfCall(0));
    if (flags !== null) requireMayLeave(flags);
    return work(value);
  };
}

type Transfer = (handle: number, from: number, to: number) => number;

function transfer(live: Live, work: Transfer): Transfer {
  return (handle, from, to) => {
    live.host.charge(costOfCall(0));
    return work(handle, from, to);
  };
}

/**
 * Returns a function of the world. While the answer is written, the plug-in allocates memory for it and may not call
 * out.
 */
function hostCall(live: Live, { call, instance, ...places }: Planned<'host'>): unknown {
  const { host } = live;
  const flags = flagsOf(live, instance);
  let found: GuestMemory | null = null;
  const enter = (): GuestMemory => {
    requireMayLeave(flags);
    return (found ??= guestMemory(live, places));
  };
  const answer = (store: () => void): void => {
    flags.value = 0;
    store();
    flags.value = 1;
  };
  switch (call) {
    case 'text':
      return (at: number) => {
        const guest = enter();
        const document = host.document();
        answer(() => {
          storeDocument(guest, at, document);
        });
      };
    case 'select':
      return (from: number, length: number, at: number) => {
        const guest = enter();
        const bytes = textAt(guest, from, length);
        const beginning = loadBeginning(bytes, guest.encoding, readXPathChars + 1);
        const selection = host.select(beginning, bytes.length);
        answer(() => {
          storeSelection(guest, at, selection);
        });
      };
    case 'json':
      return (at: number) => {
        const guest = enter();
        const settings = host.json();
        answer(() => {
          storeSettings(guest, at, settings);
        });
      };
    case 'write':
      return (number: number, from: number, length: number) => {
        const guest = enter();
        const level = loadLevel(number);
        const bytes = textAt(guest, from, length);
        host.write(level, loadBeginning(bytes, guest.encoding, bounds.logChars), bytes.length);
      };
  }
}

/** Copies UTF-8 text from one core instance's memory into another's. */
function copy(live: Live, from: ExportRef, to: ExportRef): (source: number, length: number, target: number) => void {
  return (source, length, target) => {
    live.host.charge(costOfCopy(length >>> 0));
    const bytes = bytesAt(memoryOf(live, from), source, length);
    requireText(bytes, 'utf8');
    bytesAt(memoryOf(live, to), target, length).set(bytes);
  };
}

/** Returns a function that reads or writes one little-endian value in another core instance's memory. */
function accessor(live: Live, { memory, access }: Planned<'access'>): unknown {
  const view = (): DataView => {
    live.host.charge(costOfGlance);
    return new DataView(memoryOf(live, memory).buffer);
  };
  switch (access) {
    case 'getBigInt64':
      return (at: number, offset: number) => view().getBigInt64((at >>> 0) + offset, true);
    case 'setBigInt64':
      return (at: number, value: bigint, offset: number) => {
        view().setBigInt64((at >>> 0) + offset, value, true);
      };
    case 'getInt8':
    case 'getUint8':
    case 'getInt16':
    case 'getUint16':
    case 'getInt32':
    case 'getFloat32':
    case 'getFloat64':
      return (at: number, offset: number) => view()[access]((at >>> 0) + offset, true);
    case 'setInt8':
    case 'setInt16':
    case 'setInt32':
    case 'setFloat32':
    case 'setFloat64':
      return (at: number, value: number, offset: number) => {
        view()[access]((at >>> 0) + offset, value, true);
      };
  }
}

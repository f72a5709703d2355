import { loadLevel, loadText, storeDocument, storeSelection, storeText } from './canonical-abi.js';
import type { GuestMemory } from './canonical-abi.js';
import { coreFunction, exportOf, flagsOf, guestMemory, memoryOf, requireMayLeave, trap } from './component-live.js';
import type { Live } from './component-live.js';
import type { ExportRef, ImportValue } from './component-plan.js';

type Planned<Is extends ImportValue['is']> = Extract<ImportValue, { is: Is }>;

/** Makes what a core module imports, for one instance. Nothing is looked up in other core instances before it is used. */
export function makeImport(live: Live, value: ImportValue): unknown {
  const { resources, context } = live;
  switch (value.is) {
    case 'export':
      return exportOf(live, value.ref);
    case 'host':
      return hostCall(live, value);
    case 'flags':
      return flagsOf(live, value.instance);
    case 'enter':
      return (_caller: number, _isAsync: number, callee: number) => {
        resources.enter(callee);
      };
    case 'exit':
      return resources.exit;
    case 'context-get':
      return () => context[value.slot === 0 ? 0 : 1];
    case 'context-set':
      return (word: number) => {
        context[value.slot === 0 ? 0 : 1] = word;
      };
    case 'trap':
      return () => {
        throw trap(value.message);
      };
    case 'copy':
      return copy(live, value.from, value.to);
    case 'access':
      return accessor(live, value);
    case 'pages':
      return () => memoryOf(live, value.memory).buffer.byteLength / 65_536;
    case 'transfer-own':
      return resources.transferOwn;
    case 'transfer-borrow':
      return resources.transferBorrow;
    case 'resource-new':
      return guarded(live, value.instance, (rep) => resources.create(value.table, rep));
    case 'resource-rep':
      return guarded(live, value.instance, (handle) => resources.rep(value.table, handle));
    case 'resource-drop':
      return guarded(live, value.instance, (handle) => {
        const rep = resources.drop(value.table, handle);
        if (rep !== null) coreFunction(live, value.destructor)(rep);
        return 0;
      });
  }
}

/** A function that only a component instance which may call out can reach. */
function guarded(live: Live, instance: number | null, work: (value: number) => number): (value: number) => number {
  if (instance === null) return work;
  const flags = flagsOf(live, instance);
  return (value) => {
    requireMayLeave(flags);
    return work(value);
  };
}

/** A function of the world. While its answer is written, the plugin is asked for room, and may not call out. */
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
      return (xpath: number, length: number, at: number) => {
        const guest = enter();
        const selection = host.select(loadText(guest, xpath, length));
        answer(() => {
          storeSelection(guest, at, selection);
        });
      };
    case 'json':
      return (at: number) => {
        const guest = enter();
        const settings = host.json();
        answer(() => {
          storeText(guest, at, settings);
        });
      };
    case 'write':
      return (level: number, message: number, length: number) => {
        const guest = enter();
        host.write(loadLevel(level), loadText(guest, message, length));
      };
  }
}

type HostFunction = (first: number, second: number, third: number) => void;

/** Copies text from one core instance's memory into another's. */
function copy(live: Live, from: ExportRef, to: ExportRef): HostFunction {
  return (source, length, target) => {
    const bytes = new Uint8Array(memoryOf(live, from).buffer, source, length);
    new Uint8Array(memoryOf(live, to).buffer, target, length).set(bytes);
  };
}

/** Reads or writes one value in another core instance's memory, little-endian. */
function accessor(live: Live, { memory, access }: Planned<'access'>): unknown {
  const view = (): DataView => new DataView(memoryOf(live, memory).buffer);
  switch (access) {
    case 'getBigInt64':
      return (at: number, offset: number) => view().getBigInt64(at + offset, true);
    case 'setBigInt64':
      return (at: number, value: bigint, offset: number) => {
        view().setBigInt64(at + offset, value, true);
      };
    case 'getInt8':
    case 'getUint8':
    case 'getInt16':
    case 'getUint16':
    case 'getInt32':
      return (at: number, offset: number) => view()[access](at + offset, true);
    case 'setInt8':
    case 'setInt16':
    case 'setInt32':
      return (at: number, value: number, offset: number) => {
        view()[access](at + offset, value, true);
      };
  }
}

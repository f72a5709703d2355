import { trap } from './trap.js';

/**
 * Handles to resources that components inside a plug-in pass to each other. The world has no resources, but the WASI
 * stub in QuickJS components does. Handles start at 1, and the handle freed last is reused first.
 */
export interface ResourceTables {
  readonly create: (table: number, rep: number) => number;
  readonly rep: (table: number, handle: number) => number;
  /** Removes a handle. Returns the representation if the handle owned the resource, so that it can be destroyed. */
  readonly drop: (table: number, handle: number) => number | null;
  readonly transferOwn: (handle: number, from: number, to: number) => number;
  /** Lends a resource until the end of the call that is being entered. */
  readonly transferBorrow: (handle: number, from: number, to: number) => number;
  /** Starts a call of a component. Throws if that component is already in a call. */
  readonly enter: (instance: number) => void;
  /** Ends that call. Throws if a borrowed handle was not dropped. */
  readonly exit: () => void;
}

interface Entry {
  readonly rep: number;
  /** The call for which it is borrowed; null for an owner. */
  readonly borrower: Call | null;
  /** The number of active borrows. */
  lent: number;
}

interface Call {
  readonly instance: number;
  readonly lenders: Entry[];
  borrowed: number;
}

interface Table {
  readonly entries: (Entry | null)[];
  readonly free: number[];
  /** Whether its component defines the resource. It then receives borrowed resources as their representation. */
  makes: boolean;
}

export function createResourceTables(): ResourceTables {
  const tables: (Table | undefined)[] = [];
  const calls: Call[] = [];
  const tableOf = (at: number): Table => (tables[at] ??= { entries: [null], free: [], makes: false });
  const entryOf = (table: number, handle: number): Entry => {
    const entry = tableOf(table).entries[handle >>> 0];
    if (entry === undefined || entry === null) throw trap(`unknown handle index ${handle >>> 0}`);
    return entry;
  };
  const add = (at: number, entry: Entry): number => {
    const { entries, free } = tableOf(at);
    const handle = free.pop() ?? entries.length;
    entries[handle] = entry;
    return handle;
  };
  const remove = (at: number, handle: number): Entry => {
    const entry = entryOf(at, handle);
    if (entry.lent > 0) throw trap('cannot remove owned resource while borrowed');
    if (entry.borrower !== null) entry.borrower.borrowed -= 1;
    tableOf(at).entries[handle] = null;
    tableOf(at).free.push(handle);
    return entry;
  };
  const create = (at: number, rep: number): number => {
    tableOf(at).makes = true;
    return add(at, { rep, borrower: null, lent: 0 });
  };
  return {
    create,
    rep: (table, handle) => entryOf(table, handle).rep,
    drop: (table, handle) => {
      const { rep, borrower } = remove(table, handle);
      return borrower === null ? rep : null;
    },
    transferOwn: (handle, from, to) => {
      if (entryOf(from, handle).borrower !== null) throw trap('cannot give away a resource that is borrowed');
      return add(to, { rep: remove(from, handle).rep, borrower: null, lent: 0 });
    },
    transferBorrow: (handle, from, to) => {
      const entry = entryOf(from, handle);
      const call = calls.at(-1);
      if (call === undefined) throw trap('nothing can be lent outside of a call');
      if (entry.borrower === null) {
        entry.lent += 1;
        call.lenders.push(entry);
      }
      if (tableOf(to).makes) return entry.rep;
      call.borrowed += 1;
      return add(to, { rep: entry.rep, borrower: call, lent: 0 });
    },
    enter: (instance) => {
      if (calls.some((call) => call.instance === instance)) throw trap('wasm trap: cannot enter component instance');
      calls.push({ instance, lenders: [], borrowed: 0 });
    },
    exit: () => {
      const call = calls.pop();
      if (call === undefined) throw trap('no call to leave');
      if (call.borrowed > 0) throw trap('borrow handles still remain at the end of the call');
      for (const entry of call.lenders) entry.lent -= 1;
    },
  };
}

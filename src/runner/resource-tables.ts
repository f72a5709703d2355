import { trap } from './trap.js';

/**
 * Handles to resources that components inside a plugin hand to each other: the world has none, but QuickJS components
 * bring a stub of WASI that does. Handles count from 1, and the one freed last is the first to be used again.
 */
export interface ResourceTables {
  readonly create: (table: number, rep: number) => number;
  readonly rep: (table: number, handle: number) => number;
  /** Takes a handle away; gives the representation when it owned the resource, so that it can be destroyed. */
  readonly drop: (table: number, handle: number) => number | null;
  readonly transferOwn: (handle: number, from: number, to: number) => number;
  /** Lends a resource until the call ends that is being entered. */
  readonly transferBorrow: (handle: number, from: number, to: number) => number;
  /** A call of a component begins; throws when that one is inside a call already. */
  readonly enter: (instance: number) => void;
  /** That call ends; throws when what was lent is not given back. */
  readonly exit: () => void;
}

interface Entry {
  readonly rep: number;
  /** The call for which it is borrowed; null for the owner. */
  readonly borrower: Call | null;
  /** How many borrows of it there are. */
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
  /** Whether its component makes the resources itself. What is lent to it, it is given as the representation. */
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

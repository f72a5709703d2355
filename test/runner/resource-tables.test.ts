import { describe, expect, it } from 'vitest';
import { createResourceTables } from '../../src/runner/resource-tables.js';

/** Tables of the component that makes the resources, of one that uses them, and of another. */
const [maker, user, other] = [0, 1, 2];

describe('createResourceTables', () => {
  it('counts handles from 1, and gives the one that was freed last first', () => {
    const { create, drop, rep } = createResourceTables();
    expect([create(maker, 50), create(maker, 60), create(maker, 70)]).toEqual([1, 2, 3]);
    expect([drop(maker, 1), drop(maker, 3)]).toEqual([50, 70]);
    expect([create(maker, 80), create(maker, 90), create(maker, 0)]).toEqual([3, 1, 4]);
    expect([rep(maker, 1), rep(maker, 2), rep(maker, 3), rep(maker, 4)]).toEqual([90, 60, 80, 0]);
  });

  it.each([0, 2, 7, -1, 2 ** 31 + 1, 4_294_967_295])('knows no handle %i of a table with one', (handle) => {
    const { create, drop, rep, transferOwn, transferBorrow, enter } = createResourceTables();
    create(maker, 5);
    enter(user);
    const unknown = new WebAssembly.RuntimeError(`unknown handle index ${handle >>> 0}`);
    for (const use of [drop, rep]) expect(() => use(maker, handle)).toThrow(unknown);
    for (const use of [transferOwn, transferBorrow]) expect(() => use(handle, maker, user)).toThrow(unknown);
  });

  it('knows no handle of another table', () => {
    const { create, rep } = createResourceTables();
    create(maker, 5);
    expect(() => rep(user, 1)).toThrow('unknown handle index 1');
  });

  it('gives away what is owned and not lent, and nothing else', () => {
    const { create, drop, enter, transferOwn, transferBorrow } = createResourceTables();
    const handle = transferOwn(create(maker, 5), maker, user);
    expect(() => drop(maker, 1)).toThrow('unknown handle');
    enter(1);
    const lent = transferBorrow(handle, user, other);
    for (const use of [() => drop(user, handle), () => transferOwn(handle, user, other)]) {
      expect(use).toThrow('cannot remove owned resource while borrowed');
    }
    expect(() => transferOwn(lent, other, user)).toThrow('cannot give away a resource that is borrowed');
    expect(drop(other, lent)).toBeNull();
    expect(() => drop(user, handle)).toThrow('cannot remove owned resource while borrowed');
  });

  it('takes back at the end of a call what was lent for it', () => {
    const { create, drop, enter, exit, transferBorrow } = createResourceTables();
    const handle = create(maker, 5);
    enter(1);
    const lent = transferBorrow(handle, maker, user);
    enter(2);
    const again = transferBorrow(lent, user, other);
    expect(exit).toThrow('borrow handles still remain at the end of the call');
    expect(drop(other, again)).toBeNull();
    expect(drop(user, lent)).toBeNull();
    exit();
    expect(drop(maker, handle)).toBe(5);
    expect(exit).toThrow('no call to leave');
  });

  it('gives the maker what it is lent as it is, and only the maker', () => {
    const { create, drop, enter, transferOwn, transferBorrow } = createResourceTables();
    enter(1);
    const given = transferOwn(create(maker, 50), maker, user);
    expect([given, transferBorrow(given, user, maker)]).toEqual([1, 50]);
    // It has owned a resource by the same number.
    const second = transferOwn(create(maker, 50), maker, other);
    expect(transferBorrow(second, other, user)).toBe(2);
    expect(drop(user, 2)).toBeNull();
  });

  it('lends nothing outside of a call, and enters none twice', () => {
    const { create, enter, exit, transferBorrow } = createResourceTables();
    expect(() => transferBorrow(create(maker, 5), maker, user)).toThrow('nothing can be lent outside of a call');
    enter(1);
    enter(2);
    expect(() => {
      enter(1);
    }).toThrow('cannot enter component instance');
    exit();
    enter(2);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HookvisorError } from '../../../src/contract/errors.js';
import {
  fromHookArguments,
  fromRfcArguments,
  toHookArguments,
  toRfcArguments,
  type HookArguments,
} from '../../../src/runtime/libvirt/call.js';
import { captures } from '../../support/captures.js';

const uuid = '11111111-2222-4333-8444-555555555555';

function read(args: string[], rest: Partial<HookArguments> = {}): ReturnType<typeof fromHookArguments> {
  return fromHookArguments({ driver: 'qemu', args, document: null, time: 7, id: 'id', ...rest });
}

function thrownBy(action: () => unknown): HookvisorError {
  try {
    action();
  } catch (error) {
    if (error instanceof HookvisorError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}

describe('fromHookArguments', () => {
  it('reads the four arguments of libvirt', () => {
    expect(read(['web', 'release', 'end', 'shutdown'])).toEqual({
      event: {
        id: 'id',
        time: 7,
        kind: 'domain',
        name: 'web',
        event: 'release',
        qualifier: 'end',
        extra: 'shutdown',
        driver: 'qemu',
        uuid: null,
      },
      document: null,
    });
  });

  it('takes a dash, an empty and a missing argument as nothing', () => {
    for (const args of [
      ['web', 'start', '-', '-'],
      ['web', 'start', '', ''],
      ['web', 'start'],
    ]) {
      expect(read(args).event).toMatchObject({ qualifier: '-', extra: null });
    }
  });

  it('keeps the dash of the daemon, which has no name', () => {
    expect(read(['-', 'start', '-', 'start'], { driver: 'daemon' }).event).toMatchObject({
      kind: 'daemon',
      name: '-',
      extra: 'start',
    });
  });

  it('joins a reason that was split at its space', () => {
    expect(read(['web', 'release', 'end', 'from', 'snapshot']).event.extra).toBe('from snapshot');
    expect(read(['web', 'release', 'end', 'from snapshot']).event.extra).toBe('from snapshot');
  });

  it('takes hostile names as they come', () => {
    for (const name of ['-rf', '../x', 'a b;rm', 'a\nb', 'ü'.repeat(4096), '--help']) {
      expect(read([name, 'start', 'begin', '-']).event.name).toBe(name);
    }
  });

  it('takes an empty stdin as no document', () => {
    expect(read(['web', 'start'], { document: Buffer.alloc(0) }).document).toBeNull();
  });

  it('refuses arguments without an operation', () => {
    for (const args of [[], ['web'], ['web', ''], ['web', '-']]) {
      const error = thrownBy(() => read(args));
      expect(error.code).toBe('protocol');
      expect(error.message).toBe(
        `Cannot read the hook's arguments: they are ${args.length} without an operation; ` +
          `call it as libvirt does: OBJECT OPERATION SUBOPERATION EXTRA`,
      );
    }
  });
});

describe('the UUID of an event', () => {
  function uuidIn(document: string | Buffer): string | null {
    return read(['web', 'start'], { document: Buffer.from(document) }).event.uuid;
  }

  it('is the first of the document, in lower case', () => {
    const other = uuid.replaceAll('1', '9');
    expect(uuidIn(`<domain><uuid>${uuid}</uuid><uuid>${other}</uuid></domain>`)).toBe(uuid);
    expect(uuidIn(`<domain><uuid>ABCDEF00-2222-4333-8444-555555555555</uuid></domain>`)).toBe(
      'abcdef00-2222-4333-8444-555555555555',
    );
  });

  it('is not taken from a name, where libvirt escapes it', () => {
    expect(uuidIn(`<domain><name>&lt;uuid&gt;x&lt;/uuid&gt;</name><uuid>${uuid}</uuid></domain>`)).toBe(uuid);
  });

  it('is null when the first is not one, even if a later one is', () => {
    expect(uuidIn(`<domain><uuid>none</uuid><metadata><uuid>${uuid}</uuid></metadata></domain>`)).toBeNull();
  });

  it('is found in bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from(`<uuid>${uuid}</uuid>`)]);
    expect(uuidIn(bytes)).toBe(uuid);
  });

  it('is looked for in the beginning of a document of any size', () => {
    const large = Buffer.alloc(20 * 1024 * 1024, 0x3c);
    expect(uuidIn(Buffer.concat([Buffer.from(`<uuid>${uuid}</uuid>`), large]))).toBe(uuid);
    expect(uuidIn(Buffer.concat([large, Buffer.from(`<uuid>${uuid}</uuid>`)]))).toBeNull();
  });
});

describe('fromRfcArguments', () => {
  const words = { kind: 'domain', name: 'foo', event: 'start', qualifier: 'before', extra: null };
  const received = { document: null, time: 0, id: 'id' };

  it('assumes qemu for a domain and keeps the words as they were said', () => {
    const { event } = fromRfcArguments({ ...words, ...received });
    expect(event.driver).toBe('qemu');
    expect(toRfcArguments(event)).toEqual(['domain', 'foo', 'start', 'before']);
  });

  it('takes another driver when one is named', () => {
    expect(fromRfcArguments({ ...words, ...received, driver: 'lxc' }).event).toMatchObject({
      driver: 'lxc',
      kind: 'domain',
    });
  });

  it('refuses an event without a kind or an operation', () => {
    expect(thrownBy(() => fromRfcArguments({ ...words, ...received, kind: '' })).message).toBe(
      'Cannot read the event: it has no kind; specify KIND NAME EVENT QUALIFIER',
    );
    const error = thrownBy(() => fromRfcArguments({ ...words, ...received, event: '-' }));
    expect(error.code).toBe('protocol');
    expect(error.message).toBe('Cannot read the event: it has no event; specify KIND NAME EVENT QUALIFIER');
  });
});

describe('arguments to an event and back', () => {
  it('gives libvirt its own arguments back, for every recorded call', () => {
    for (const { driver, argv } of captures) {
      expect(toHookArguments(read(argv, { driver }).event)).toEqual(argv);
    }
  });

  const argument = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
  const operation = argument.filter((text) => text !== '' && text !== '-');

  it("loses nothing on the way through libvirt's arguments", () => {
    fc.assert(
      fc.property(argument, operation, argument, argument, (name, event, qualifier, extra) => {
        const first = read([name, event, qualifier, extra]).event;
        expect(read(toHookArguments(first)).event).toEqual(first);
        expect(toHookArguments(first)).toEqual([name || '-', event, qualifier || '-', extra || '-']);
      }),
    );
  });

  it("loses nothing on the way through the RFC's words", () => {
    fc.assert(
      fc.property(fc.tuple(operation, argument, operation, argument, argument), (words) => {
        const [kind, name, event, qualifier, extra] = words;
        const received = { document: null, time: 0, id: 'id' };
        const first = fromRfcArguments({ kind, name, event, qualifier, extra, ...received }).event;
        const [kind2 = '', name2 = '', event2 = '', qualifier2 = '', extra2 = null] = toRfcArguments(first);
        const again = { kind: kind2, name: name2, event: event2, qualifier: qualifier2, extra: extra2 };
        expect(fromRfcArguments({ ...again, ...received }).event).toEqual(first);
      }),
    );
  });
});

/** The parts of WebAssembly's binary format that a hostile plugin needs and no assembler would write. */

/** An unsigned LEB128. */
export function leb(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

type Part = Buffer | number | string;

/** Bytes one after the other; a string is written as a name, with its length before it. */
export function bytes(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.from([part]);
      return typeof part === 'string' ? Buffer.concat([leb(Buffer.byteLength(part)), Buffer.from(part)]) : part;
    }),
  );
}

/** A vector: its length, then its items. */
export function vector(items: readonly Buffer[]): Buffer {
  return Buffer.concat([leb(items.length), ...items]);
}

/** A section of a module or component. */
export function section(id: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([id]), leb(body.length), body]);
}

/** A core module of these sections. */
export function coreModule(...sections: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), ...sections]);
}

/** A component of these sections. */
export function component(...sections: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), ...sections]);
}

/** Sections of a component by their number in its binary format. */
export const componentSections = {
  coreModule: (module: Buffer): Buffer => section(1, module),
  component: (nested: Buffer): Buffer => section(4, nested),
  /** An instance type without anything in it. */
  emptyInstanceType: (): Buffer => section(7, vector([bytes(0x42, leb(0))])),
  types: (types: readonly Buffer[]): Buffer => section(7, vector(types)),
  /** Imports an instance of type 0. */
  importInstance: (name: string): Buffer => section(10, vector([bytes(0, name, 5, leb(0))])),
  /** Exports the instance 0 that was imported. */
  exportInstance: (name: string): Buffer => section(11, vector([bytes(0, name, 5, leb(0), 0)])),
};

import { readConstant } from './constants.js';
import { featureError } from './features.js';
import { readReferenceType } from './value-types.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';
import type { WasmReader } from './wasm-reader.js';

/** The only element kind that a segment can name with a byte: functions. */
const functions = 0x00;

/** Skips an element segment in any of its eight encodings. */
export function readElementSegment(reader: WasmReader, importedGlobals: number): void {
  // Flags: 1 passive or declared; 2 explicit table index, or declared; 4 elements are expressions.
  const flags = reader.uint();
  if (flags > 7) throw invalid('it has an element segment of an unknown form');
  const active = (flags & 1) === 0;
  const expressions = (flags & 4) !== 0;
  if (active && (flags & 2) !== 0) reader.uint();
  if (active) readConstant(reader, importedGlobals);
  if ((flags & 3) !== 0) {
    if (expressions) readReferenceType(reader);
    else if (reader.u8() !== functions) throw invalid('it has an element segment of an unknown kind');
  }
  reader.each(() => {
    if (expressions) readConstant(reader, importedGlobals);
    else reader.uint();
  });
}

/** Skips a data segment in any of its three encodings. */
export function readDataSegment(reader: WasmReader, importedGlobals: number): void {
  const flags = reader.uint();
  if (flags > 2) throw invalid('it has a data segment of an unknown form');
  if (flags === 2 && reader.uint() !== 0) throw featureError('multi-memory');
  if (flags !== 1) readConstant(reader, importedGlobals);
  reader.skip(reader.uint());
}

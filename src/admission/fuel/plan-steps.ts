import { bulk, divisions, op, readInstruction } from '../wasm/wasm-code.js';
import type { Instruction } from '../wasm/wasm-code.js';
import { WasmReader } from '../wasm/wasm-reader.js';

/** What is to be paid for in a function's code. */
export interface StepPlan {
  readonly loops: boolean;
  /** How many steps to take at which places of the code. */
  readonly steps: ReadonlyMap<number, number>;
}

export interface PlanOptions {
  /** Whether it pays for its entry itself. */
  readonly pays: boolean;
  /** Functions that pay for their entry themselves. */
  readonly paying: ReadonlySet<number>;
  /** Work of entering and leaving it, in plain instructions. */
  readonly frame: number;
}

/** Work that one step pays for, in plain instructions. */
const workOfStep = 256;

/** A block whose code is being read, and the most work unpaid with which its code may reach certain places. */
interface Label {
  /** Where a branch to it goes on: at its end, or at its beginning, which pays. */
  readonly loops: boolean;
  /** At the `else` of an `if`, or at its end when it has none. */
  otherwise: number;
  end: number;
}

/** Work unpaid where no code gets to. */
const nowhere = -1;

/**
 * Finds the stretches of a function's code that run from beginning to end, and what each costs: one step for a call and for
 * a turn of a loop, and one for each 256 instructions. Where ways through the code meet, the one with the most work that is
 * still unpaid counts, so no choice of branches runs more than 256 instructions for a step. Some instructions count as several.
 */
export function planSteps(code: Buffer, { pays, paying, frame }: PlanOptions): StepPlan {
  const reader = new WasmReader(code);
  const steps = new Map<number, number>();
  const labels: Label[] = [{ loops: false, otherwise: nowhere, end: nowhere }];
  let stretchAt = 0;
  let loops = false;
  let unpaid = 0;
  const add = (count: number): void => {
    if (count > 0) steps.set(stretchAt, (steps.get(stretchAt) ?? 0) + count);
  };
  const work = (amount: number): void => {
    if (unpaid === nowhere) return;
    add(Math.floor((unpaid + amount) / workOfStep));
    unpaid = (unpaid + amount) % workOfStep;
  };
  const branch = (depth: number): void => {
    const label = labels[labels.length - 1 - depth];
    if (label?.loops === false) label.end = Math.max(label.end, unpaid);
  };

  if (pays) add(1);
  work(frame);
  while (!reader.done) {
    const instruction = readInstruction(reader);
    const { opcode, index } = instruction;
    work(workOf(instruction));
    if (calls.has(opcode) && !(opcode === op.call && paying.has(index))) add(1);
    if (opcode === op.block) labels.push({ loops: false, otherwise: nowhere, end: nowhere });
    if (!parting.has(opcode)) continue;
    stretchAt = reader.at;
    switch (opcode) {
      case op.loop:
        labels.push({ loops: true, otherwise: nowhere, end: nowhere });
        loops = true;
        add(1);
        // What was unpaid before a turn is less than the step that was just paid for it.
        if (unpaid !== nowhere) unpaid = 0;
        break;
      case op.if:
        labels.push({ loops: false, otherwise: unpaid, end: nowhere });
        break;
      case op.else: {
        const label = labels.at(-1);
        if (label === undefined) break;
        label.end = Math.max(label.end, unpaid);
        unpaid = label.otherwise;
        label.otherwise = nowhere;
        break;
      }
      case op.end: {
        const label = labels.pop();
        unpaid = Math.max(unpaid, label?.end ?? nowhere, label?.otherwise ?? nowhere);
        break;
      }
      case op.brIf:
        branch(index);
        break;
      case op.br:
        branch(index);
        unpaid = nowhere;
        break;
      case op.brTable:
        instruction.targets.forEach(branch);
        unpaid = nowhere;
        break;
      default:
        unpaid = nowhere;
    }
  }
  return { loops, steps };
}

const calls: ReadonlySet<number> = new Set([op.call, op.callIndirect, op.returnCall, op.returnCallIndirect]);

/** After these nothing of the function runs, or nothing at all. */
export const leaves: ReadonlySet<number> = new Set([op.return, op.returnCall, op.returnCallIndirect, op.unreachable]);

/** After these another stretch begins: code goes on elsewhere, or comes from elsewhere. */
const parting: ReadonlySet<number> = new Set([
  ...[op.loop, op.if, op.else, op.end, op.br, op.brIf, op.brTable],
  ...leaves,
]);

/**
 * How many plain instructions one takes the time of, roughly: divisions and roots keep the processor, and what the engine
 * does in calls of its own takes longest.
 */
function workOf({ opcode, sub }: Instruction): number {
  if (opcode === vectorPrefix) return slowVectors.has(sub) ? slow : 1;
  if (opcode === op.bulk) return sub >= bulk.memoryInit ? 16 : 1;
  return heavy.get(opcode) ?? 1;
}

/**
 * Products, quotients, roots and changes of precision of floats. A processor hands one whose operand or result is denormal
 * to its microcode, which takes 27 to 43 ns for each: a hundred times as long as for plain ones.
 */
const slow = 16;
/** Of f32 and f64: sqrt, mul, div, demote, promote. */
const slowFloats = [0x91, 0x94, 0x95, 0x9f, 0xa2, 0xa3, 0xb6, 0xbb] as const;
const vectorPrefix = 0xfd;
/** Of f32x4 and f64x2: demote, promote, sqrt, mul, div. */
const slowVectors: ReadonlySet<number> = new Set([0x5e, 0x5f, 0xe3, 0xe6, 0xe7, 0xef, 0xf2, 0xf3]);

const heavy: ReadonlyMap<number, number> = new Map([
  ...[op.tableGet, op.tableSet, op.refFunc].map((opcode) => [opcode, 64] as const),
  ...divisions.map((opcode) => [opcode, 4] as const),
  ...slowFloats.map((opcode) => [opcode, slow] as const),
]);

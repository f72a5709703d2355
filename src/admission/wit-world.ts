// Made by scripts/generate.mjs from wit/.
import type { WitType } from './wasm/wit-type.js';
import type { WitWorld } from './wit-interface.js';

const stringType0: WitType = { form: 'string', labels: [], parts: [] };
const variantType1: WitType = {
  form: 'variant',
  labels: ['no-document', 'not-xml', 'bad-xpath', 'too-large'],
  parts: [null, stringType0, stringType0, null],
};
const optionType2: WitType = { form: 'option', labels: [], parts: [stringType0] };
const functionType3: WitType = { form: 'function', labels: [], parts: [optionType2] };
const listType4: WitType = { form: 'list', labels: [], parts: [stringType0] };
const resultType5: WitType = { form: 'result', labels: [], parts: [listType4, variantType1] };
const functionType6: WitType = { form: 'function', labels: ['xpath'], parts: [stringType0, resultType5] };
const functionType7: WitType = { form: 'function', labels: [], parts: [stringType0] };
const enumType8: WitType = { form: 'enum', labels: ['debug', 'info', 'warn', 'error'], parts: [] };
const functionType9: WitType = {
  form: 'function',
  labels: ['level', 'message'],
  parts: [enumType8, stringType0, null],
};
const u64Type10: WitType = { form: 'u64', labels: [], parts: [] };
const recordType11: WitType = {
  form: 'record',
  labels: ['id', 'time', 'kind', 'name', 'event', 'qualifier', 'extra', 'driver', 'uuid'],
  parts: [
    stringType0,
    u64Type10,
    stringType0,
    stringType0,
    stringType0,
    stringType0,
    optionType2,
    stringType0,
    optionType2,
  ],
};
const variantType12: WitType = {
  form: 'variant',
  labels: ['allow', 'deny', 'replace'],
  parts: [null, stringType0, stringType0],
};
const resultType13: WitType = { form: 'result', labels: [], parts: [null, stringType0] };
const functionType14: WitType = { form: 'function', labels: [], parts: [resultType13] };
const functionType15: WitType = { form: 'function', labels: ['event'], parts: [recordType11, variantType12] };

/** The worlds of wit/: what a component may import, and what it must and may export. */
export const witWorld: WitWorld = {
  imports: new Map([
    [
      'hookvisor:hook/document@0.1.0',
      {
        types: new Map([['select-error', variantType1]]),
        functions: new Map([
          ['text', functionType3],
          ['select', functionType6],
        ]),
      },
    ],
    ['hookvisor:hook/settings@0.1.0', { types: new Map([]), functions: new Map([['json', functionType7]]) }],
    [
      'hookvisor:hook/log@0.1.0',
      { types: new Map([['level', enumType8]]), functions: new Map([['write', functionType9]]) },
    ],
    [
      'hookvisor:hook/types@0.1.0',
      {
        types: new Map([
          ['event', recordType11],
          ['outcome', variantType12],
        ]),
        functions: new Map([]),
      },
    ],
  ]),
  exports: new Map([
    ['hookvisor:hook/configurable@0.1.0', { types: new Map([]), functions: new Map([['validate', functionType14]]) }],
    [
      'hookvisor:hook/handler@0.1.0',
      {
        types: new Map([
          ['event', recordType11],
          ['outcome', variantType12],
        ]),
        functions: new Map([['handle', functionType15]]),
      },
    ],
  ]),
  required: new Set(['hookvisor:hook/handler@0.1.0']),
};

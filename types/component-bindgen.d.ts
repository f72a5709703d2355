/** What dist/component-bindgen/ has, which scripts/build-bundles.mjs makes of this package's files. */
export { $init, generate } from '@bytecodealliance/jco-transpile/component';

//! Interface between admission and Wasmtime's component translation: bytes in, JSON and modules out. Imports nothing.
//! Unsupported components end in a trap. The instance must not be used afterwards.

mod definition;
mod one_memory;
mod output;
mod translate;

use output::Answer;

/// The location of the answer in memory.
#[repr(C)]
pub struct Place {
    json: *const u8,
    json_size: usize,
    modules: *const u8,
    modules_size: usize,
}

/// Allocates space for a component of `size` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(size: usize) -> *mut u8 {
    Box::leak(vec![0; size].into_boxed_slice()).as_mut_ptr()
}

/// Translates the component in memory from `allocate`. The JSON has at most `json_bytes` bytes.
///
/// # Safety
/// `component` must come from `allocate(size)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn translate(component: *const u8, size: usize, json_bytes: usize) -> *const Place {
    let component = unsafe { std::slice::from_raw_parts(component, size) };
    let Answer { json, modules } = translate::translate(component, json_bytes);
    let (json, modules) = (json.leak(), modules.leak());
    Box::leak(Box::new(Place {
        json: json.as_ptr(),
        json_size: json.len(),
        modules: modules.as_ptr(),
        modules_size: modules.len(),
    }))
}

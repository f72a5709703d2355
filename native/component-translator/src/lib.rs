//! Admission's border to Wasmtime's translation of components: bytes in, JSON and core modules out. It imports nothing.
//! What it cannot do ends in a trap; its memory is of no use afterwards.

mod definition;
mod one_memory;
mod output;
mod translate;

use output::Answer;

/// Where the answer lies in memory.
#[repr(C)]
pub struct Place {
    json: *const u8,
    json_size: usize,
    modules: *const u8,
    modules_size: usize,
}

/// Room for a component of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(size: usize) -> *mut u8 {
    Box::leak(vec![0; size].into_boxed_slice()).as_mut_ptr()
}

/// Translates the component that lies in what `allocate` gave. The JSON is at most `json_bytes` long.
///
/// # Safety
/// `component` is what `allocate(size)` gave.
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

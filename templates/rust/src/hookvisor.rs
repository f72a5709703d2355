//! Implements the contract of wit/ with the canonical ABI, without crates. An instance decides one event.

use std::fmt::Display;

/// One call of a libvirt hook. Names are hostile: they may contain any character except NUL.
pub struct Event {
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    pub kind: String,
    pub name: String,
    pub event: String,
    pub qualifier: String,
    pub extra: Option<String>,
    pub driver: String,
    pub uuid: Option<String>,
}

pub enum Outcome {
    /// No objection: the next handler decides.
    Allow,
    /// The operation must not happen; the user of libvirt sees the reason.
    Deny(String),
    /// Continue with this document: only at `migrate` and `restore`, with the grant `replace`.
    Replace(String),
}

pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

pub fn log(level: Level, message: impl Display) {
    let text = message.to_string();
    unsafe { host_log(level as i32, text.as_ptr(), text.len()) }
}

/// Returns the settings as JSON text, always an object.
pub fn settings() -> String {
    let mut text = Text::EMPTY;
    unsafe {
        host_settings(&mut text);
        text.read()
    }
}

/// Returns the whole document, if the event has one.
pub fn document() -> Option<String> {
    let mut text = Optional { given: 0, text: Text::EMPTY };
    unsafe {
        host_text(&mut text);
        text.read()
    }
}

/// Returns the string value of each node that an XPath 1.0 expression selects. Without a document, or with one that is not XML,
/// the plug-in fails.
pub fn select(xpath: &str) -> Vec<String> {
    let mut found = Selected { is_error: 0, words: [0; 3] };
    unsafe { host_select(xpath.as_ptr(), xpath.len(), &mut found) };
    if found.is_error != 0 {
        panic!("cannot select");
    }
    let texts = found.words[0] as *const Text;
    (0..found.words[1]).map(|at| unsafe { (*texts.add(at)).read() }).collect()
}

/// Exports a handler and the check of its settings: `export!(handle, validate)`.
macro_rules! export {
    ($handle:path, $validate:path) => {
        #[export_name = "hookvisor:hook/handler@0.1.0#handle"]
        unsafe extern "C" fn export_handle(event: *const $crate::hookvisor::RawEvent) -> *const $crate::hookvisor::Answer {
            $crate::hookvisor::Answer::of($handle((*event).read()))
        }
        #[export_name = "hookvisor:hook/configurable@0.1.0#validate"]
        extern "C" fn export_validate() -> *const $crate::hookvisor::Answer {
            $crate::hookvisor::Answer::of_check($validate())
        }
    };
}
pub(crate) use export;

#[repr(C)]
pub struct Text {
    bytes: *mut u8,
    length: usize,
}

impl Text {
    const EMPTY: Text = Text { bytes: std::ptr::null_mut(), length: 0 };

    unsafe fn read(&self) -> String {
        if self.length == 0 {
            return String::new();
        }
        String::from_utf8_unchecked(std::slice::from_raw_parts(self.bytes, self.length).to_vec())
    }
}

#[repr(C)]
pub struct Optional {
    given: u8,
    text: Text,
}

impl Optional {
    unsafe fn read(&self) -> Option<String> {
        (self.given != 0).then(|| self.text.read())
    }
}

#[repr(C)]
struct Selected {
    is_error: u8,
    words: [usize; 3],
}

#[repr(C)]
pub struct RawEvent {
    id: Text,
    time: u64,
    kind: Text,
    name: Text,
    event: Text,
    qualifier: Text,
    extra: Optional,
    driver: Text,
    uuid: Optional,
}

impl RawEvent {
    /// # Safety
    /// The host wrote the event according to the canonical ABI.
    pub unsafe fn read(&self) -> Event {
        Event {
            id: self.id.read(),
            time: self.time,
            kind: self.kind.read(),
            name: self.name.read(),
            event: self.event.read(),
            qualifier: self.qualifier.read(),
            extra: self.extra.read(),
            driver: self.driver.read(),
            uuid: self.uuid.read(),
        }
    }
}

/// The result for the host: the case and its text.
#[repr(C)]
pub struct Answer {
    case: u8,
    text: *const u8,
    length: usize,
}

impl Answer {
    pub fn of(outcome: Outcome) -> *const Answer {
        match outcome {
            Outcome::Allow => Answer::leak(0, String::new()),
            Outcome::Deny(reason) => Answer::leak(1, reason),
            Outcome::Replace(document) => Answer::leak(2, document),
        }
    }

    pub fn of_check(checked: Result<(), String>) -> *const Answer {
        match checked {
            Ok(()) => Answer::leak(0, String::new()),
            Err(objection) => Answer::leak(1, objection),
        }
    }

    fn leak(case: u8, text: String) -> *const Answer {
        let text: &'static str = Box::leak(text.into_boxed_str());
        Box::leak(Box::new(Answer { case, text: text.as_ptr(), length: text.len() }))
    }
}

#[export_name = "cabi_realloc"]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_length: usize, align: usize, length: usize) -> *mut u8 {
    if length == 0 {
        return align as *mut u8;
    }
    let layout = std::alloc::Layout::from_size_align_unchecked(length, align);
    let room = std::alloc::alloc(layout);
    if room.is_null() {
        panic!("out of memory");
    }
    std::ptr::copy_nonoverlapping(old, room, old_length.min(length));
    room
}

#[link(wasm_import_module = "hookvisor:hook/document@0.1.0")]
extern "C" {
    #[link_name = "text"]
    fn host_text(result: *mut Optional);
    #[link_name = "select"]
    fn host_select(xpath: *const u8, length: usize, result: *mut Selected);
}

#[link(wasm_import_module = "hookvisor:hook/settings@0.1.0")]
extern "C" {
    #[link_name = "json"]
    fn host_settings(result: *mut Text);
}

#[link(wasm_import_module = "hookvisor:hook/log@0.1.0")]
extern "C" {
    #[link_name = "write"]
    fn host_log(level: i32, message: *const u8, length: usize);
}

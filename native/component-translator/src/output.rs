//! The JSON that admission reads (src/admission/translation/translation.ts). Indices are Wasmtime's.

use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// The JSON, and the concatenated core modules.
pub struct Answer {
    pub json: Vec<u8>,
    pub modules: Vec<u8>,
}

#[derive(Serialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Outcome<'a> {
    Translated(Translation<'a>),
    /// The component is invalid, or uses a disabled feature.
    Invalid {
        message: String,
    },
    /// The description would exceed the size limit.
    TooLarge,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Translation<'a> {
    /// Sizes of the core modules, bytes.
    pub modules: Vec<usize>,
    /// Core instances in the order of their instantiation.
    pub instances: Vec<Instance<'a>>,
    /// Functions that the component exports, directly or in an instance.
    pub exports: Vec<Lifted<'a>>,
}

#[derive(Serialize)]
pub struct Instance<'a> {
    pub module: usize,
    pub imports: Vec<Import<'a>>,
}

#[derive(Serialize)]
pub struct Import<'a> {
    pub module: &'a str,
    pub name: Cow<'a, str>,
    pub value: Value<'a>,
}

#[derive(Serialize)]
pub struct Lifted<'a> {
    pub path: Vec<&'a str>,
    pub core: Value<'a>,
    pub options: Options<'a>,
}

/// Canonical options of a lifted or lowered function.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Options<'a> {
    /// The component instance.
    pub instance: u32,
    pub encoding: &'static str,
    pub memory: Option<Box<Value<'a>>>,
    pub realloc: Option<Box<Value<'a>>>,
    pub post_return: Option<Box<Value<'a>>>,
    /// Whether it is asynchronous, or uses garbage-collected objects for its data.
    pub other: bool,
}

/// The value of an import of a core module.
#[derive(Serialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Value<'a> {
    /// An export of a core instance.
    Export {
        instance: u32,
        name: &'a str,
    },
    /// A global that says whether a component instance may call out.
    Flags {
        instance: u32,
    },
    /// A lowered import.
    Lower {
        path: Vec<&'a str>,
        options: Options<'a>,
    },
    Transcode {
        from: Option<Box<Value<'a>>>,
        to: Option<Box<Value<'a>>>,
        operation: &'static str,
    },
    ResourceNew {
        instance: u32,
        table: u32,
    },
    ResourceRep {
        table: u32,
    },
    ResourceDrop {
        instance: u32,
        table: u32,
        destructor: Option<Box<Value<'a>>>,
    },
    TransferOwn,
    TransferBorrow,
    Trap {
        message: String,
    },
    Enter,
    Exit,
    ContextGet {
        slot: u32,
    },
    ContextSet {
        slot: u32,
    },
    /// An instruction on the memory of another core instance, as a function.
    Access {
        memory: Box<Value<'a>>,
        instruction: &'static str,
    },
    /// Anything else of the component model.
    Other {
        name: String,
    },
}

/// A writer that accepts at most `left` more bytes.
pub struct Bounded {
    pub bytes: Vec<u8>,
    pub left: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

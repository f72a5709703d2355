//! Wasmtime's adapters access the memories of two core instances. Not every version of Node allows two in a module, so
//! an adapter keeps the first memory and calls functions to access the others.

use std::collections::HashSet;
use wasm_encoder::ValType::{self, F32, F64, I32, I64};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, EntityType, ImportSection, Instruction, Module, TypeSection};
use wasmtime_environ::wasmparser::{FunctionBody, Import, ImportSectionReader, Operator, Parser};
use wasmtime_environ::wasmparser::{Payload, TypeRef, TypeSectionReader};

/// The module under which an adapter imports these functions.
pub const MODULE: &str = "memories";

type Failure = Error<&'static str>;

/// A module with at most one memory.
pub struct OneMemory {
    pub bytes: Vec<u8>,
    /// The functions that it imports after all other imports.
    pub accesses: Vec<Access>,
}

/// An instruction on one of the memories.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Access {
    pub memory: u32,
    pub instruction: &'static str,
}

impl Access {
    /// Returns the name of the imported function for it.
    pub fn name(&self) -> String {
        format!("{} {}", self.memory, self.instruction)
    }
}

/// Rewrites a module with several memories that are all imported.
pub fn with_one_memory(wasm: &[u8]) -> Result<OneMemory, String> {
    let mut rewriter = Rewriter::default();
    rewriter.find_accesses(wasm).map_err(|error| error.to_string())?;
    let mut module = Module::new();
    rewriter.parse_core_module(&mut module, Parser::new(0), wasm).map_err(|error| error.to_string())?;
    Ok(OneMemory { bytes: module.finish(), accesses: rewriter.accesses })
}

#[derive(Default)]
struct Rewriter {
    accesses: Vec<Access>,
    imported_functions: u32,
    imported_memories: u32,
    types: u32,
}

impl Rewriter {
    fn find_accesses(&mut self, wasm: &[u8]) -> wasmtime_environ::wasmparser::Result<()> {
        let mut seen = HashSet::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        self.imported_functions += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        if let Some((access, _)) = foreign(&operator?)
                            && seen.insert(access)
                        {
                            self.accesses.push(access);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Reencode for Rewriter {
    type Error = &'static str;

    fn function_index(&mut self, index: u32) -> Result<u32, Failure> {
        let added = if index < self.imported_functions { 0 } else { self.accesses.len() as u32 };
        Ok(index + added)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, Failure> {
        // Instructions on other memories have been rewritten before this call.
        if index == 0 {
            Ok(0)
        } else {
            Err(Error::UserError("an adapter uses another memory in a way that is not known"))
        }
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: TypeSectionReader<'_>) -> Result<(), Failure> {
        utils::parse_type_section(self, types, section)?;
        self.types = types.len();
        for access in &self.accesses {
            let (parameters, results) = type_of(access.instruction);
            types.ty().function(parameters, results);
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Failure> {
        for import in section.into_imports() {
            let import: Import = import?;
            if matches!(import.ty, TypeRef::Memory(_)) {
                self.imported_memories += 1;
                if self.imported_memories > 1 {
                    continue;
                }
            }
            self.parse_import(imports, import)?;
        }
        for (at, access) in self.accesses.iter().enumerate() {
            imports.import(MODULE, &access.name(), EntityType::Function(self.types + at as u32));
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Failure> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let Some((access, offset)) = foreign(&operator) else {
                function.instruction(&self.instruction(operator)?);
                continue;
            };
            if let Some(offset) = offset {
                function.instruction(&Instruction::I32Const(offset as i32));
            }
            let place = self.accesses.iter().position(|one| *one == access).unwrap_or_default();
            function.instruction(&Instruction::Call(self.imported_functions + place as u32));
        }
        code.function(&function);
        Ok(())
    }
}

/// Returns the access of an instruction to a memory other than the first, and its offset; `memory.size` has none.
fn foreign(operator: &Operator<'_>) -> Option<(Access, Option<u64>)> {
    let (instruction, memarg) = match operator {
        Operator::I32Load { memarg } => ("i32.load", memarg),
        Operator::I32Load8U { memarg } => ("i32.load8_u", memarg),
        Operator::I32Load8S { memarg } => ("i32.load8_s", memarg),
        Operator::I32Load16U { memarg } => ("i32.load16_u", memarg),
        Operator::I32Load16S { memarg } => ("i32.load16_s", memarg),
        Operator::I64Load { memarg } => ("i64.load", memarg),
        Operator::F32Load { memarg } => ("f32.load", memarg),
        Operator::F64Load { memarg } => ("f64.load", memarg),
        Operator::I32Store { memarg } => ("i32.store", memarg),
        Operator::I32Store8 { memarg } => ("i32.store8", memarg),
        Operator::I32Store16 { memarg } => ("i32.store16", memarg),
        Operator::I64Store { memarg } => ("i64.store", memarg),
        Operator::F32Store { memarg } => ("f32.store", memarg),
        Operator::F64Store { memarg } => ("f64.store", memarg),
        Operator::MemorySize { mem } if *mem > 0 => {
            return Some((Access { memory: *mem, instruction: "memory.size" }, None));
        }
        _ => return None,
    };
    let access = Access { memory: memarg.memory, instruction };
    (memarg.memory > 0).then_some((access, Some(memarg.offset)))
}

/// Returns the type of the function for an instruction. Loads and stores take the offset last.
fn type_of(instruction: &str) -> (Vec<ValType>, Vec<ValType>) {
    if instruction == "memory.size" {
        return (vec![], vec![I32]);
    }
    let value = match &instruction[..3] {
        "i64" => I64,
        "f32" => F32,
        "f64" => F64,
        _ => I32,
    };
    if instruction.contains("load") { (vec![I32, I32], vec![value]) } else { (vec![I32, value, I32], vec![]) }
}

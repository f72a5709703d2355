//! Translates a component's bytes to JSON and core modules.

use crate::definition::{Definitions, Modules};
use crate::one_memory::{Access, MODULE, OneMemory, with_one_memory};
use crate::output::{Answer, Bounded, Import, Instance, Lifted, Outcome, Translation, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use wasmtime_environ::component::*;
use wasmtime_environ::wasmparser::{Validator, WasmFeatures};
use wasmtime_environ::{EntityType, ModuleTranslation, ScopeVec, Tunables};

/// The features that vetting admits, and several memories for Wasmtime's own adapters.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);

pub fn translate(component: &[u8], json_bytes: usize) -> Answer {
    let scope = ScopeVec::new();
    let mut validator = Validator::new_with_features(FEATURES);
    let mut types = ComponentTypesBuilder::new(&validator);
    let tunables = Tunables::default_u32();
    let translated = Translator::new(&tunables, &mut validator, &mut types, &scope)
        .translate(component)
        .map_err(|error| format!("{error:#}"));
    let (translation, modules) = match translated {
        Ok(translated) => translated,
        Err(message) => return answer(Outcome::Invalid { message }, Vec::new(), json_bytes),
    };
    match describe(&translation, &types, &modules) {
        Ok((described, bytes)) => answer(Outcome::Translated(described), bytes, json_bytes),
        Err(message) => answer(Outcome::Invalid { message }, Vec::new(), json_bytes),
    }
}

fn answer(outcome: Outcome<'_>, modules: Vec<u8>, json_bytes: usize) -> Answer {
    let mut json = Bounded { bytes: Vec::new(), left: json_bytes };
    match serde_json::to_writer(&mut json, &outcome) {
        Ok(()) => Answer { json: json.bytes, modules },
        Err(_) => Answer { json: serde_json::to_vec(&Outcome::TooLarge).unwrap_or_default(), modules: Vec::new() },
    }
}

fn describe<'a>(
    translation: &'a ComponentTranslation,
    types: &'a ComponentTypesBuilder,
    modules: &'a Modules<'a>,
) -> Result<(Translation<'a>, Vec<u8>), String> {
    let definitions = Definitions::new(translation, types, modules)?;
    let mut used = UsedModules::default();
    let mut instances = Vec::new();
    for initializer in &translation.component.initializers {
        if let GlobalInitializer::InstantiateModule(InstantiateModule::Static(index, given), _) = initializer {
            let module = used.add(*index, &modules[*index])?;
            let imports = imports_of(&definitions, &modules[*index], given, &used.accesses[module]);
            instances.push(Instance { module, imports });
        }
    }
    // Admission compiles the others, which validates them.
    for (_, unused) in modules.iter().filter(|(index, _)| !used.places.contains_key(index)) {
        let validated = Validator::new_with_features(FEATURES).validate_all(unused.wasm);
        validated.map_err(|error| error.to_string())?;
    }
    let mut exports = Vec::new();
    for (name, (index, _)) in translation.component.exports.raw_iter() {
        lift(&definitions, &translation.component.export_items[*index], vec![name.as_str()], &mut exports);
    }
    Ok((Translation { modules: used.sizes, instances, exports }, used.bytes))
}

/// The instantiated modules, each once.
#[derive(Default)]
struct UsedModules {
    places: HashMap<StaticModuleIndex, usize>,
    sizes: Vec<usize>,
    bytes: Vec<u8>,
    accesses: Vec<Vec<Access>>,
}

impl UsedModules {
    fn add(&mut self, index: StaticModuleIndex, translation: &ModuleTranslation<'_>) -> Result<usize, String> {
        if let Some(place) = self.places.get(&index) {
            return Ok(*place);
        }
        let memories = translation.module.imports().filter(|(_, _, ty)| matches!(ty, EntityType::Memory(_))).count();
        let (bytes, accesses) = if memories > 1 {
            let OneMemory { bytes, accesses } = with_one_memory(translation.wasm)?;
            (Cow::Owned(bytes), accesses)
        } else {
            (Cow::Borrowed(translation.wasm), Vec::new())
        };
        let place = self.sizes.len();
        self.sizes.push(bytes.len());
        self.bytes.extend_from_slice(&bytes);
        self.accesses.push(accesses);
        self.places.insert(index, place);
        Ok(place)
    }
}

/// Returns the imports. All memories but the first become functions, which the rewritten module imports.
fn imports_of<'a>(
    definitions: &Definitions<'a>,
    translation: &'a ModuleTranslation<'_>,
    given: &[CoreDef],
    accesses: &[Access],
) -> Vec<Import<'a>> {
    let mut memories: Vec<&CoreDef> = Vec::new();
    let mut imports = Vec::new();
    for ((module, name, ty), definition) in translation.module.imports().zip(given) {
        if matches!(ty, EntityType::Memory(_)) {
            memories.push(definition);
            if memories.len() > 1 {
                continue;
            }
        }
        imports.push(Import { module, name: Cow::Borrowed(name), value: definitions.value(definition) });
    }
    for access in accesses {
        let Access { memory, instruction } = *access;
        if let Some(definition) = memories.get(memory as usize) {
            let value = Value::Access { memory: Box::new(definitions.value(definition)), instruction };
            imports.push(Import { module: MODULE, name: Cow::Owned(access.name()), value });
        }
    }
    imports
}

fn lift<'a>(definitions: &Definitions<'a>, export: &'a Export, path: Vec<&'a str>, lifted: &mut Vec<Lifted<'a>>) {
    match export {
        Export::LiftedFunction { func, options, .. } => {
            lifted.push(Lifted { path, core: definitions.value(func), options: definitions.options(*options) });
        }
        Export::Instance { exports, .. } => {
            for (name, (index, _)) in exports.raw_iter() {
                let path = path.iter().copied().chain([name.as_str()]).collect();
                lift(definitions, &definitions.component.export_items[*index], path, lifted);
            }
        }
        Export::ModuleStatic { .. } | Export::ModuleImport { .. } | Export::Type(_) => {}
    }
}

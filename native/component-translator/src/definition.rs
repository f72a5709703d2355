//! Resolves Wasmtime's definitions of core items to values that the runner can find or make.

use crate::output::{Options, Value};
use std::collections::HashMap;
use wasmtime_environ::component::*;
use wasmtime_environ::{EntityIndex, ModuleTranslation, PrimaryMap};

pub type Modules<'a> = PrimaryMap<StaticModuleIndex, ModuleTranslation<'a>>;

/// What resolving the definitions of a translation needs.
pub struct Definitions<'a> {
    pub component: &'a Component,
    pub trampolines: &'a PrimaryMap<TrampolineIndex, Trampoline>,
    pub types: &'a ComponentTypesBuilder,
    pub modules: &'a Modules<'a>,
    /// The module of each core instance.
    instances: Vec<StaticModuleIndex>,
    names: HashMap<StaticModuleIndex, HashMap<EntityIndex, &'a str>>,
    memories: HashMap<RuntimeMemoryIndex, CoreDef>,
    reallocs: HashMap<RuntimeReallocIndex, &'a CoreDef>,
    post_returns: HashMap<RuntimePostReturnIndex, &'a CoreDef>,
    imports: HashMap<LoweredIndex, RuntimeImportIndex>,
    destructors: HashMap<DefinedResourceIndex, &'a CoreDef>,
}

impl<'a> Definitions<'a> {
    pub fn new(
        ComponentTranslation { component, trampolines }: &'a ComponentTranslation,
        types: &'a ComponentTypesBuilder,
        modules: &'a Modules<'a>,
    ) -> Result<Self, String> {
        let mut all = Self {
            component,
            trampolines,
            types,
            modules,
            instances: Vec::new(),
            names: HashMap::new(),
            memories: HashMap::new(),
            reallocs: HashMap::new(),
            post_returns: HashMap::new(),
            imports: HashMap::new(),
            destructors: HashMap::new(),
        };
        for initializer in &component.initializers {
            all.learn(initializer)?;
        }
        Ok(all)
    }

    fn learn(&mut self, initializer: &'a GlobalInitializer) -> Result<(), String> {
        match initializer {
            GlobalInitializer::InstantiateModule(InstantiateModule::Static(module, _), _) => {
                self.instances.push(*module);
                let modules = self.modules;
                self.names.entry(*module).or_insert_with(|| names_of(&modules[*module]));
            }
            GlobalInitializer::InstantiateModule(InstantiateModule::Import(..), _) => {
                return Err("it imports a core module".into());
            }
            GlobalInitializer::LowerImport { index, import } => {
                self.imports.insert(*index, *import);
            }
            GlobalInitializer::ExtractMemory(memory) => {
                self.memories.insert(memory.index, memory.export.clone().into());
            }
            GlobalInitializer::ExtractRealloc(realloc) => {
                self.reallocs.insert(realloc.index, &realloc.def);
            }
            GlobalInitializer::ExtractPostReturn(post_return) => {
                self.post_returns.insert(post_return.index, &post_return.def);
            }
            GlobalInitializer::Resource(resource) => {
                if let Some(destructor) = &resource.dtor {
                    self.destructors.insert(resource.index, destructor);
                }
            }
            GlobalInitializer::ExtractCallback(_) | GlobalInitializer::ExtractTable(_) => {}
        }
        Ok(())
    }

    pub fn value(&self, definition: &CoreDef) -> Value<'a> {
        match definition {
            CoreDef::Export(export) => self.export(export),
            CoreDef::InstanceFlags(instance) => Value::Flags { instance: instance.as_u32() },
            CoreDef::Trampoline(index) => self.trampoline(&self.trampolines[*index]),
            CoreDef::UnsafeIntrinsic(intrinsic) => match intrinsic {
                UnsafeIntrinsic::ContextGetI32_0 => Value::ContextGet { slot: 0 },
                UnsafeIntrinsic::ContextGetI32_1 => Value::ContextGet { slot: 1 },
                UnsafeIntrinsic::ContextSetI32_0 => Value::ContextSet { slot: 0 },
                UnsafeIntrinsic::ContextSetI32_1 => Value::ContextSet { slot: 1 },
                other => Value::Other { name: other.name().into() },
            },
        }
    }

    fn export(&self, CoreExport { instance, item }: &CoreExport<EntityIndex>) -> Value<'a> {
        let module = self.instances.get(instance.as_u32() as usize);
        let name = match item {
            ExportItem::Index(index) => {
                module.and_then(|module| self.names.get(module)).and_then(|names| names.get(index)).copied()
            }
            ExportItem::Name(_) => None,
        };
        match name {
            Some(name) => Value::Export { instance: instance.as_u32(), name },
            None => Value::Other { name: "an item without a name".into() },
        }
    }

    fn trampoline(&self, trampoline: &Trampoline) -> Value<'a> {
        match trampoline {
            Trampoline::LowerImport { index, options, .. } => match self.imports.get(index) {
                Some(import) => {
                    let (import, path) = &self.component.imports[*import];
                    let (name, _) = &self.component.import_types[*import];
                    let path = std::iter::once(name).chain(path).map(String::as_str).collect();
                    Value::Lower { path, options: self.options(*options) }
                }
                None => Value::Other { name: trampoline.symbol_name() },
            },
            Trampoline::Transcoder { op, from, to, .. } => {
                Value::Transcode { from: self.memory(*from), to: self.memory(*to), operation: op.desc() }
            }
            Trampoline::ResourceNew { instance, ty } => {
                Value::ResourceNew { instance: instance.as_u32(), table: ty.as_u32() }
            }
            Trampoline::ResourceRep { ty, .. } => Value::ResourceRep { table: ty.as_u32() },
            Trampoline::ResourceDrop { instance, ty } => Value::ResourceDrop {
                instance: instance.as_u32(),
                table: ty.as_u32(),
                destructor: self.destructor(*ty),
            },
            Trampoline::ResourceTransferOwn => Value::TransferOwn,
            Trampoline::ResourceTransferBorrow => Value::TransferBorrow,
            Trampoline::Trap(trap) => Value::Trap { message: trap.to_string() },
            Trampoline::EnterSyncCall => Value::Enter,
            Trampoline::ExitSyncCall => Value::Exit,
            other => Value::Other { name: other.symbol_name() },
        }
    }

    pub fn options(&self, index: OptionsIndex) -> Options<'a> {
        let options = &self.component.options[index];
        let CanonicalOptionsDataModel::LinearMemory(LinearMemoryOptions { memory, realloc }) = options.data_model
        else {
            return Options {
                instance: options.instance.as_u32(),
                encoding: encoding_of(options),
                memory: None,
                realloc: None,
                post_return: None,
                other: true,
            };
        };
        let boxed = |definition: &&CoreDef| Box::new(self.value(definition));
        Options {
            instance: options.instance.as_u32(),
            encoding: encoding_of(options),
            memory: memory.and_then(|memory| self.memory(memory)),
            realloc: realloc.and_then(|realloc| self.reallocs.get(&realloc)).map(boxed),
            post_return: options.post_return.and_then(|index| self.post_returns.get(&index)).map(boxed),
            other: options.async_ || options.cancellable || options.callback.is_some(),
        }
    }

    fn memory(&self, index: RuntimeMemoryIndex) -> Option<Box<Value<'a>>> {
        self.memories.get(&index).map(|definition| Box::new(self.value(definition)))
    }

    fn destructor(&self, table: TypeResourceTableIndex) -> Option<Box<Value<'a>>> {
        let TypeResourceTable::Concrete { ty, .. } = self.types[table] else { return None };
        let resource = self.component.defined_resource_index(ty)?;
        self.destructors.get(&resource).map(|definition| Box::new(self.value(definition)))
    }
}

fn encoding_of(options: &CanonicalOptions) -> &'static str {
    match options.string_encoding {
        StringEncoding::Utf8 => "utf8",
        StringEncoding::Utf16 => "utf16",
        StringEncoding::CompactUtf16 => "latin1+utf16",
    }
}

/// Returns the names of a module's exports by entity; of several names the first.
fn names_of<'a>(translation: &'a ModuleTranslation<'_>) -> HashMap<EntityIndex, &'a str> {
    let mut names = HashMap::new();
    for (name, index) in translation.module.exports.iter() {
        names.entry(*index).or_insert(&translation.module.strings[name]);
    }
    names
}

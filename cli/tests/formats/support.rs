//! Running the command, reading documents, and validating them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

pub(crate) fn lrpc(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// What a command that ends well prints.
pub(crate) fn text(arguments: &[&str]) -> String {
    let output = lrpc(arguments, Path::new("."));
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below a folder with one of the endings.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
    let paths = walk.into_iter().map(|entry| entry.unwrap().into_path());
    let ends = |path: &Path| endings.iter().any(|ending| path.to_str().unwrap().ends_with(ending));
    paths.filter(|path| path.is_file() && ends(path)).collect()
}

/// The examples in the fences of the manual's pages: code, severity, and the texts.
pub(crate) fn examples() -> Vec<(String, String, Vec<String>)> {
    let pages: Value = serde_json::from_str(&text(&["explain", "--format", "json"])).unwrap();
    let of = |page: &Value, field: &str| page[field].as_str().unwrap().to_owned();
    let read = |page: &Value| {
        let text = of(page, "page");
        let fences = text.split("```yaml").skip(1).map(|rest| {
            let (_, rest) = rest.split_once('\n').unwrap();
            rest.split("```").next().unwrap().to_owned()
        });
        (of(page, "code"), of(page, "severity"), fences.collect())
    };
    pages.as_array().unwrap().iter().map(read).collect()
}

/// The documents of a YAML or JSON text; `None` where it is neither.
pub(crate) fn documents(text: &str) -> Option<Vec<Value>> {
    serde_saphyr::from_multiple(text).ok()
}

/// A schema, compiled.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// The schema in a text, which validates itself against its own draft.
    pub(crate) fn new(text: &str) -> Self {
        const HERE: &str = "urn:test";
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(HERE, serde_json::from_str(text).unwrap()).unwrap();
        let index = compiler.compile(HERE, &mut schemas).map_err(|error| format!("{error:#}")).unwrap();
        Self { schemas, index }
    }

    /// One that `lrpc schema` prints.
    pub(crate) fn printed(what: &str) -> Self {
        Self::new(&text(&["schema", what]))
    }

    pub(crate) fn check(&self, document: &Value) -> Result<(), String> {
        self.schemas.validate(document, self.index).map_err(|error| format!("{error:#}"))
    }
}

//! What the committed object was built from: digests and the versions of the tools, in a file beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::repository::{Failure, Result};

/// The content of `provenance.toml`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provenance {
    /// blake3 over names and contents of the sources.
    sources: String,
    /// blake3 of the object.
    object: String,
    /// Tool to version.
    tools: BTreeMap<String, String>,
}

/// How a rebuilt object compares with the recorded one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Built {
    /// The same bytes.
    Same,
    /// Made by tools of other versions, so that the bytes may differ: a description of the first.
    ByOtherTools(String),
    /// Other bytes from the same tools.
    Different,
}

impl Provenance {
    pub(crate) fn new(sources: &[(String, Vec<u8>)], object: &[u8], tools: BTreeMap<String, String>) -> Self {
        Self { sources: digest_of_sources(sources), object: digest(object), tools }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Failure(format!("the record of the object's origin: {error}")))
    }

    pub(crate) fn to_toml(&self) -> Result<String> {
        let fields = toml::to_string(self).map_err(|error| Failure(error.to_string()))?;
        Ok(format!("# Written by `cargo xtask ebpf`, which `ebpf/README.md` describes.\n{fields}"))
    }

    /// Fails where the sources or the object are not the recorded ones.
    pub(crate) fn fits(&self, sources: &[(String, Vec<u8>)], object: &[u8]) -> Result<()> {
        if self.sources != digest_of_sources(sources) {
            return Err(Failure(
                "the committed object is stale: its sources changed after it was built; run `cargo xtask ebpf` \
                 and commit what it writes"
                    .into(),
            ));
        }
        if self.object != digest(object) {
            return Err(Failure(
                "the committed object is not the one that was recorded; run `cargo xtask ebpf` and commit both \
                 files that it writes"
                    .into(),
            ));
        }
        Ok(())
    }

    /// Compares what was recorded with what was rebuilt from the same sources.
    pub(crate) fn reproduced(&self, built: &Self) -> Built {
        if self.object == built.object {
            return Built::Same;
        }
        let differs = |(tool, version): (&String, &String)| {
            let recorded = self.tools.get(tool).map_or("nothing", String::as_str);
            (recorded != version).then(|| format!("{tool} {version}, recorded: {recorded}"))
        };
        built.tools.iter().find_map(differs).map_or(Built::Different, Built::ByOtherTools)
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes))
}

/// Names and contents, each behind its length, so that no two sets of sources run together.
fn digest_of_sources(sources: &[(String, Vec<u8>)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in sources.iter().flat_map(|(name, content)| [name.as_bytes(), content]) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    format!("blake3:{}", hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(name: &str, content: &str) -> Vec<(String, Vec<u8>)> {
        vec![(name.into(), content.into())]
    }

    fn record(object: &[u8], compiler: &str) -> Provenance {
        let tools = BTreeMap::from([("rustc-web".into(), compiler.into())]);
        Provenance::new(&sources("main.rs", "code"), object, tools)
    }

    #[test]
    fn a_changed_source_makes_the_object_stale() {
        let recorded = record(b"object", "1");
        assert!(recorded.fits(&sources("main.rs", "code"), b"object").is_ok());
        for changed in [sources("main.rs", "codf"), sources("main.rt", "code"), sources("main.rsc", "ode")] {
            assert!(recorded.fits(&changed, b"object").unwrap_err().0.contains("stale"));
        }
    }

    #[test]
    fn an_object_that_was_not_recorded_is_refused() {
        let refused = record(b"object", "1").fits(&sources("main.rs", "code"), b"other").unwrap_err();
        assert!(refused.0.contains("not the one that was recorded"));
    }

    #[test]
    fn the_same_tools_must_give_the_same_bytes() {
        let recorded = record(b"object", "1");
        assert_eq!(recorded.reproduced(&record(b"object", "1")), Built::Same);
        assert_eq!(recorded.reproduced(&record(b"object", "2")), Built::Same);
        assert_eq!(recorded.reproduced(&record(b"other", "1")), Built::Different);
        let difference = "rustc-web 2, recorded: 1".to_owned();
        assert_eq!(recorded.reproduced(&record(b"other", "2")), Built::ByOtherTools(difference));
    }

    #[test]
    fn the_record_is_read_as_it_was_written() {
        let recorded = record(b"object", "1");
        assert_eq!(Provenance::parse(&recorded.to_toml().unwrap()).unwrap(), recorded);
    }
}

//! What a generation says of itself, for user space only: the loader's part of the `meta` table.
//!
//! It is JSON behind the programs' part, zero-filled to [`META_SIZE`], so that `status` and `verify` need
//! nothing but the kernel. The resolved digest does not cover it: two images may resolve to the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lrpc_linker::profile::Mode;
use lrpc_schema::image::Digest;
use lrpc_schema::records::{Generation, META_SIZE, Meta};
use serde::{Deserialize, Serialize};

use crate::fs::Identity;
use crate::resolve::{Conduct, Resolved};

/// Whose connections the hooks see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Every process below the cgroup.
    All,
}

/// The version of the record that this lrpc writes. It is raised when a field changes its meaning; a new field
/// has a default instead, so that either version reads the other's.
const VERSION: u32 = 1;

/// What a generation says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the record.
    version: u32,
    /// The generation's number.
    pub generation: Generation,
    /// The image's digest.
    #[serde(with = "text")]
    pub image: Digest,
    /// The linked digest.
    #[serde(with = "text")]
    pub digest: Digest,
    /// The digest over the tables' bytes.
    #[serde(with = "text")]
    pub resolved: Digest,
    /// The node that the image was linked for.
    pub node: String,
    /// Where the hooks act.
    pub mode: Mode,
    /// Whose connections they see.
    pub coverage: Coverage,
    /// The directory of the redirected cgroup, as messages show it.
    pub cgroup: String,
    /// The kernel's number of that cgroup.
    pub cgroup_id: u64,
    /// The state directory, as messages show it; empty where an earlier lrpc has not written it.
    #[serde(default)]
    pub state: String,
    /// The kernel's numbers of that directory, under whatever path it is seen.
    #[serde(default)]
    pub memory: Option<Identity>,
    /// When it was applied, RFC 3339.
    pub applied_at: String,
    /// The version of lrpc that applied it.
    pub lrpc: String,
    /// The version of the kernel programs: blake3 of the object they were loaded from.
    #[serde(with = "text")]
    pub program: Digest,
    /// The kernel's tags of the programs, by hook.
    pub tags: BTreeMap<String, String>,
    /// Rows with an entry.
    pub frontends: usize,
    /// Distinct (address, port, protocol) among their backends.
    pub backends: usize,
    /// Some row with an entry is a Service's, so that ours must run before what rewrites a Service's address.
    #[serde(default)]
    pub services: bool,
    /// The cookie of the network namespace that is the node's own; `None` for the kernel's initial one.
    #[serde(default)]
    pub node_netns: Option<u64>,
    /// It counts what it would redirect or refuse, and touches nothing.
    #[serde(default)]
    pub is_audit: bool,
}

/// What a record is made of before its generation is staged.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The generation's number.
    pub generation: Generation,
    /// The image's digest.
    pub image: Digest,
    /// The linked digest.
    pub digest: Digest,
    /// The node that the image was linked for.
    pub node: String,
    /// Where the hooks act.
    pub mode: Mode,
    /// The directory of the redirected cgroup.
    pub cgroup: PathBuf,
    /// The kernel's number of that cgroup.
    pub cgroup_id: u64,
    /// The state directory.
    pub state: PathBuf,
    /// The kernel's numbers of that directory.
    pub memory: Identity,
    /// When it is applied, RFC 3339.
    pub applied_at: String,
    /// The version of the kernel programs.
    pub program: Digest,
    /// Some row with an entry is a Service's.
    pub services: bool,
    /// The cookie of the network namespace that is the node's own.
    pub node_netns: Option<u64>,
    /// It only counts.
    pub is_audit: bool,
}

/// Why what a generation says of itself cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A later lrpc wrote it.
    #[error("it was recorded by a later lrpc (record version {0}, this one knows {VERSION})")]
    Later(u32),
    /// It is none of lrpc's.
    #[error("its record is none that lrpc writes")]
    Unreadable,
}

/// The record cannot be kept with its generation.
#[derive(Debug, thiserror::Error)]
pub enum RecordRefused {
    /// It does not fit behind the programs' part.
    #[error("the generation's record has {0} bytes, and {max} fit: use shorter paths and names", max = META_SIZE - Meta::SIZE)]
    TooLong(usize),
    /// It is no JSON.
    #[error("the generation's record cannot be written")]
    Json(#[from] serde_json::Error),
}

impl Record {
    /// The record of a generation with these tables, before its programs are known.
    pub fn new(facts: Facts, resolved: &Resolved) -> Self {
        Self {
            version: VERSION,
            generation: facts.generation,
            image: facts.image,
            digest: facts.digest,
            resolved: resolved.digest,
            node: facts.node,
            mode: facts.mode,
            coverage: Coverage::All,
            cgroup: facts.cgroup.display().to_string(),
            cgroup_id: facts.cgroup_id,
            state: facts.state.display().to_string(),
            memory: Some(facts.memory),
            applied_at: facts.applied_at,
            lrpc: env!("CARGO_PKG_VERSION").to_owned(),
            program: facts.program,
            tags: BTreeMap::new(),
            frontends: resolved.frontends,
            backends: resolved.backends,
            services: facts.services,
            node_netns: facts.node_netns,
            is_audit: facts.is_audit,
        }
    }

    /// What becomes of connections.
    pub fn conduct(&self) -> Conduct {
        if self.is_audit { Conduct::Audit } else { Conduct::Act }
    }

    /// Whether another record says the same of the same set, but for when and by whom it was applied.
    pub fn speaks_as(&self, other: &Self) -> bool {
        (self.image, self.digest, &self.node, self.services)
            == (other.image, other.digest, &other.node, other.services)
    }

    /// The value of the `meta` table: the programs' part, this record, zeros.
    ///
    /// # Errors
    /// [`RecordRefused::TooLong`] where the node's name or a path is absurdly long.
    pub fn to_value(&self, meta: &Meta) -> Result<Vec<u8>, RecordRefused> {
        let json = serde_json::to_vec(self)?;
        if json.len() > META_SIZE - Meta::SIZE {
            return Err(RecordRefused::TooLong(json.len()));
        }
        let mut value = meta.to_bytes().to_vec();
        value.extend(json);
        value.resize(META_SIZE, 0);
        Ok(value)
    }

    /// The record in a value of the `meta` table.
    ///
    /// # Errors
    /// [`RecordError`] where another lrpc, or nobody of lrpc's, wrote it.
    pub fn from_value(value: &[u8]) -> Result<Self, RecordError> {
        let json = value.get(Meta::SIZE..).unwrap_or_default();
        let json = json.split(|&byte| byte == 0).next().unwrap_or_default();
        let json: serde_json::Value = serde_json::from_slice(json).map_err(|_| RecordError::Unreadable)?;
        match json.get("version").and_then(serde_json::Value::as_u64).map(u32::try_from) {
            Some(Ok(version)) if version > VERSION => Err(RecordError::Later(version)),
            Some(Ok(_)) => serde_json::from_value(json).map_err(|_| RecordError::Unreadable),
            Some(Err(_)) | None => Err(RecordError::Unreadable),
        }
    }
}

/// Digests as the text that users see.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use lrpc_linker::MapSet;
    use lrpc_schema::records::Levels;

    use super::*;
    use crate::resolve::{Conduct, Identities, resolve};

    fn record() -> Record {
        let facts = Facts {
            generation: Generation::new(7).unwrap(),
            image: Digest::new([1; 32]),
            digest: Digest::new([2; 32]),
            node: "n1".to_owned(),
            mode: Mode::Full,
            cgroup: OsStr::from_bytes(b"/sys/fs/cgroup/\xff").into(),
            cgroup_id: 1,
            state: "/var/lib/lrpc".into(),
            memory: serde_json::from_str("{\"device\":1,\"inode\":2}").unwrap(),
            applied_at: "2026-11-23T12:00:00Z".to_owned(),
            program: Digest::new([4; 32]),
            services: true,
            node_netns: Some(7),
            is_audit: false,
        };
        Record::new(facts, &resolve(&MapSet::default(), Conduct::default(), &Identities::default()).unwrap())
    }

    /// The record with a field changed, as it comes back.
    fn edited(
        edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
    ) -> Result<Record, RecordError> {
        let mut json = serde_json::to_value(record()).unwrap();
        edit(json.as_object_mut().unwrap());
        let mut value = vec![0; Meta::SIZE];
        value.extend(serde_json::to_vec(&json).unwrap());
        value.resize(META_SIZE, 0);
        Record::from_value(&value)
    }

    #[test]
    fn a_record_comes_back_from_the_table_also_with_a_path_that_is_no_text() {
        let record = record();
        let value = record.to_value(&Meta::new(Levels::default(), Levels::default(), 5)).unwrap();
        assert_eq!(value.len(), META_SIZE);
        assert_eq!(value[..Meta::SIZE], Meta::new(Levels::default(), Levels::default(), 5).to_bytes());
        assert_eq!(Record::from_value(&value), Ok(record));
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused() {
        let mut record = record();
        record.node = "n".repeat(META_SIZE);
        assert!(matches!(
            record.to_value(&Meta::new(Levels::default(), Levels::default(), 5)),
            Err(RecordRefused::TooLong(_))
        ));
    }

    #[test]
    fn fields_may_come_and_go_and_a_change_of_meaning_is_told() {
        let without = edited(|json| {
            json.remove("state");
            json.remove("memory");
            json.remove("services");
        });
        assert!(
            without
                .is_ok_and(|record| !record.services && record.state.is_empty() && record.memory.is_none())
        );
        let with = edited(|json| drop(json.insert("lease".to_owned(), 5.into())));
        assert_eq!(with, Ok(record()));
        let later = edited(|json| drop(json.insert("version".to_owned(), 2.into())));
        assert_eq!(later, Err(RecordError::Later(2)));
        assert_eq!(edited(|json| drop(json.remove("version"))), Err(RecordError::Unreadable));
        assert_eq!(Record::from_value(&[0; META_SIZE]), Err(RecordError::Unreadable));
        assert_eq!(Record::from_value(&[]), Err(RecordError::Unreadable));
    }
}

//! What a generation says of itself, for user space only: the loader's part of the `meta` table.
//!
//! It is JSON behind the programs' part, zero-filled to [`META_SIZE`], so that `status` and `verify` need
//! nothing but the kernel. The resolved digest does not cover it: two images may resolve to the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lrpc_linker::profile::Mode;
use lrpc_schema::image::Digest;
use lrpc_schema::records::{META_SIZE, Meta};
use serde::{Deserialize, Serialize};

/// Whose connections the hooks see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Every process below the cgroup.
    All,
}

/// What a generation says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The generation's number.
    pub generation: u64,
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
    /// The directory of the redirected cgroup.
    pub cgroup: PathBuf,
    /// The kernel's number of that cgroup.
    pub cgroup_id: u64,
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
    /// Rows that this version cannot carry.
    pub left_out: usize,
}

/// The record does not fit behind the programs' part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the generation's record has {0} bytes, and {max} fit: use shorter paths and names", max = META_SIZE - Meta::SIZE)]
pub struct RecordTooLong(usize);

impl Record {
    /// The value of the `meta` table: the programs' part, this record, zeros.
    ///
    /// # Errors
    /// [`RecordTooLong`] where the node's name or the cgroup's path is absurdly long.
    pub fn to_value(&self, meta: &Meta) -> Result<Vec<u8>, RecordTooLong> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        if json.len() > META_SIZE - Meta::SIZE {
            return Err(RecordTooLong(json.len()));
        }
        let mut value = meta.to_bytes().to_vec();
        value.extend(json);
        value.resize(META_SIZE, 0);
        Ok(value)
    }

    /// The record in a value of the `meta` table; `None` where no version of lrpc wrote it.
    pub fn from_value(value: &[u8]) -> Option<Self> {
        let json = value.get(Meta::SIZE..)?;
        let end = json.iter().position(|&byte| byte == 0).unwrap_or(json.len());
        serde_json::from_slice(json.get(..end)?).ok()
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
    use super::*;

    #[test]
    fn a_record_comes_back_from_the_table() {
        let mut record = Record {
            generation: 7,
            image: Digest::new([1; 32]),
            digest: Digest::new([2; 32]),
            resolved: Digest::new([3; 32]),
            node: "n1".to_owned(),
            mode: Mode::Full,
            coverage: Coverage::All,
            cgroup: "/sys/fs/cgroup".into(),
            cgroup_id: 1,
            applied_at: "2026-11-23T12:00:00Z".to_owned(),
            lrpc: "0.1.0".to_owned(),
            program: Digest::new([4; 32]),
            tags: BTreeMap::from([("connect4".to_owned(), "0123456789abcdef".to_owned())]),
            frontends: 3,
            backends: 4,
            left_out: 0,
        };
        let value = record.to_value(&Meta::new(5)).unwrap();
        assert_eq!(value.len(), META_SIZE);
        assert_eq!(value[..Meta::SIZE], Meta::new(5).to_bytes());
        assert_eq!(Record::from_value(&value), Some(record.clone()));
        record.node = "n".repeat(META_SIZE);
        assert!(record.to_value(&Meta::new(5)).is_err());
        assert_eq!(Record::from_value(&[0; META_SIZE]), None);
    }
}

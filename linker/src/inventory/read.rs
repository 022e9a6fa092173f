//! Walks through a dump: JSON or YAML, a list or single objects, one document or many.
//!
//! Each object becomes what is kept of it as soon as its end is read, so a list of 100,000 pods is never in
//! memory as text or tree.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::wire::Object;

/// A dump cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It begins like JSON and is not.
    #[error("{file}: not JSON that holds Kubernetes objects")]
    Json {
        /// The file, as it was named.
        file: String,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// It is not YAML.
    #[error("{file}: not YAML that holds Kubernetes objects")]
    Yaml {
        /// The file, as it was named.
        file: String,
        /// What is wrong and where.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Reading fails.
    #[error("{file}: cannot be read")]
    Io {
        /// The file, as it was named.
        file: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Hands every object of a dump to `keep`. A document that cannot be read is left out as a whole; what
/// stands before it, and in YAML what stands after it where that can be found, is kept.
pub(super) fn objects(
    file: &str,
    mut reader: impl BufRead,
    keep: &mut dyn FnMut(Object),
) -> Result<(), ReadError> {
    let is_json =
        begins_like_json(&mut reader).map_err(|source| ReadError::Io { file: file.into(), source })?;
    if is_json { json(file, reader, keep) } else { yaml(file, reader, keep) }
}

/// Skips blanks and a byte order mark, and looks whether a brace or bracket follows.
fn begins_like_json(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = reader.fill_buf()?;
        let blank = |byte: &u8| byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte);
        match buffer.iter().position(|byte| !blank(byte)) {
            Some(place) => {
                let is_json = matches!(buffer.get(place), Some(b'{' | b'['));
                if is_json {
                    reader.consume(place);
                }
                return Ok(is_json);
            }
            None if buffer.is_empty() => return Ok(false),
            // Indentation matters in YAML, but never on a first line that is blank to its end.
            None => {
                let length = buffer.len();
                reader.consume(length);
            }
        }
    }
}

fn json(file: &str, reader: impl Read, keep: &mut dyn FnMut(Object)) -> Result<(), ReadError> {
    for document in serde_json::Deserializer::from_reader(reader).into_iter::<Document>() {
        let document = document.map_err(|source| ReadError::Json { file: file.into(), source })?;
        document.0.into_iter().for_each(&mut *keep);
    }
    Ok(())
}

fn yaml(file: &str, mut reader: impl Read, keep: &mut dyn FnMut(Object)) -> Result<(), ReadError> {
    // An inventory is as large as its cluster, so only what multiplies input keeps its limit.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: None,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_documents: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
            max_total_comment_bytes: usize::MAX,
            max_buffered_comment_events: 100_000,
        },
        strict_booleans: true,
        with_snippet: false,
    };
    let mut first_error = None;
    for document in serde_saphyr::read_with_options::<_, Document>(&mut reader, options) {
        match document {
            Ok(document) => document.0.into_iter().for_each(&mut *keep),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        None => Ok(()),
        Some(error) => Err(ReadError::Yaml { file: file.into(), source: Box::new(error) }),
    }
}

/// The objects of one document.
struct Document(Vec<Object>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor).map(Self)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Vec<Object>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a Kubernetes object or a list of them")
    }

    /// A list, whose `items` are taken one by one, or a single object, which is taken whole.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rest = Map::new();
        let mut items = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                let kind =
                    rest.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List"));
                let kind = kind.filter(|kind| !kind.is_empty()).map(str::to_owned);
                items = Some(map.next_value_seed(Items { kind })?);
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        Ok(items.unwrap_or_else(|| vec![Object::new(Value::Object(rest), None)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Items { kind: None }.visit_seq(seq)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

/// The elements of a list. `kind` is what a typed list (`PodList`) says of elements that do not say it
/// themselves.
struct Items {
    kind: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Vec<Object>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Object>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of Kubernetes objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut objects = Vec::new();
        while let Some(tree) = seq.next_element::<Value>()? {
            objects.push(Object::new(tree, self.kind.as_deref()));
        }
        Ok(objects)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

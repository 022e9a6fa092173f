//! Reads a dump: JSON or YAML, lists or single objects, one document or many.
//!
//! Each object becomes what is kept of it as soon as its end is read, so a list of 100,000 pods is never in
//! memory as text or tree. Keys may come in any order: what an element of a typed list (`PodList`) is, is often
//! said behind it.

use std::io::{self, BufRead};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::document::{Documents, Syntax};
use super::wire::{Found, KINDS};

/// A dump cannot be read to its end, or has lost it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It begins like JSON and is not.
    #[error("{file}: not JSON that holds Kubernetes objects")]
    Json {
        /// The file, as it was named.
        file: String,
        /// What is wrong and where.
        source: Wrong,
    },
    /// It is not YAML.
    #[error("{file}: not YAML that holds Kubernetes objects")]
    Yaml {
        /// The file, as it was named.
        file: String,
        /// What is wrong and where.
        source: Wrong,
    },
    /// Something is missing behind a document that can be read.
    #[error("{file}: {}", cut.words(*line))]
    CutOff {
        /// The file, as it was named.
        file: String,
        /// Where the document begins.
        line: u64,
        /// What is missing of it.
        cut: Cut,
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

/// What a document has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// An object its end: it has no `kind`.
    Object,
    /// A list its end: kubectl writes its `kind` behind the `items`.
    List,
    /// A list its other pages, for which `metadata.continue` asks.
    Pages,
}

impl Cut {
    fn words(self, line: u64) -> String {
        match self {
            Self::Object => format!("the object at line {line} was cut off: it has no `kind`"),
            Self::List => format!("the list at line {line} was cut off: it has no `kind`"),
            Self::Pages => {
                format!("the list at line {line} is one page of several: its `metadata` says that it goes on")
            }
        }
    }
}

/// What is wrong in a document, with line and column of the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(String);

/// Hands every object of a dump to `keep`. A document that cannot be read is left out as a whole; what
/// stands before and behind it is kept, and the first of the errors is returned.
pub(super) fn objects(
    file: &str,
    reader: impl BufRead,
    keep: &mut dyn FnMut(Found),
) -> Result<(), ReadError> {
    let io = |source| ReadError::Io { file: file.into(), source };
    let mut documents = Documents::new(reader);
    let mut first_error = Ok(());
    while let Some(syntax) = documents.advance().map_err(io)? {
        let read = match syntax {
            Syntax::Json => json(file, &mut documents, keep),
            Syntax::Yaml => yaml(file, &mut documents, keep),
        };
        first_error = first_error.and(read);
    }
    first_error
}

/// The values of a document, of which JSON may have any number.
fn json(
    file: &str,
    documents: &mut Documents<impl BufRead>,
    keep: &mut dyn FnMut(Found),
) -> Result<(), ReadError> {
    let before = documents.lines();
    for value in serde_json::Deserializer::from_reader(documents).into_iter::<Document>() {
        let value = value.map_err(|error| json_error(file, before, error))?;
        value.hand_over(file, before, keep)?;
    }
    Ok(())
}

fn json_error(file: &str, before: u64, error: serde_json::Error) -> ReadError {
    let file = file.to_owned();
    if error.is_io() {
        return ReadError::Io { file, source: error.into() };
    }
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = said.strip_suffix(&place).unwrap_or(&said);
    let source = Wrong(format!("{said} at line {}, column {}", before + error.line() as u64, error.column()));
    ReadError::Json { file, source }
}

fn yaml(
    file: &str,
    documents: &mut Documents<impl BufRead>,
    keep: &mut dyn FnMut(Found),
) -> Result<(), ReadError> {
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
    let before = documents.lines();
    for document in serde_saphyr::read_with_options::<_, Document>(documents, options) {
        let document = document.map_err(|error| {
            let said = error.render_with_options(serde_saphyr::render_options! { line_offset: before });
            ReadError::Yaml { file: file.into(), source: Wrong(said) }
        })?;
        document.hand_over(file, before, keep)?;
    }
    Ok(())
}

/// What a document holds.
enum Document {
    Found(Vec<Found>),
    CutOff(Cut),
}

impl Document {
    fn hand_over(self, file: &str, before: u64, keep: &mut dyn FnMut(Found)) -> Result<(), ReadError> {
        match self {
            Self::Found(found) => {
                found.into_iter().for_each(keep);
                Ok(())
            }
            Self::CutOff(cut) => Err(ReadError::CutOff { file: file.into(), line: before + 1, cut }),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a Kubernetes object or a list of them")
    }

    /// A list, whose `items` are taken one by one, or a single object, which is taken whole.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut head = Map::new();
        let mut items = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                // What the elements are is known only where both keys have been met.
                let is_told = head.contains_key("apiVersion");
                let of = Head::of(&head).elements().filter(|_| is_told);
                items = Some(map.next_value_seed(ItemsSeed { of })?);
            } else {
                head.insert(key, map.next_value()?);
            }
        }
        Ok(match items {
            Some(items) => items.of_list(Head::of(&head)),
            None => Document::single(&Value::Object(head)),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Document, A::Error> {
        let of = Elements::Anything;
        Ok(ItemsSeed { of: Some(of) }.visit_seq(seq)?.settle(of))
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Found(Vec::new()))
    }
}

impl Document {
    /// The object in a tree, or the objects where it is a list.
    fn single(tree: &Value) -> Self {
        let empty = Map::new();
        let fields = tree.as_object().unwrap_or(&empty);
        let head = Head::of(fields);
        match (fields.get("items").and_then(Value::as_array), head.kind) {
            (Some(trees), _) => {
                let of = head.elements();
                let mut items = Items::default();
                trees.iter().for_each(|tree| items.add(tree, of));
                items.of_list(head)
            }
            (None, None) if fields.contains_key("apiVersion") => Self::CutOff(Cut::Object),
            (None, Some(kind)) if head.elements().is_none() && head.is_core => {
                Self::Found(vec![Found::new(tree, kind)])
            }
            (None, _) if head.elements().is_some() => Self::Found(Vec::new()),
            (None, None) => Self::Found(vec![Found::untold(tree)]),
            (None, Some(_)) => Self::Found(vec![Found::Ignored]),
        }
    }
}

/// What `kind` and `apiVersion` say of the object around them.
#[derive(Clone, Copy)]
struct Head<'a> {
    kind: Option<&'a str>,
    /// It is of the core group, also where it does not say of which it is.
    is_core: bool,
    /// It is a page of a list that has more of them.
    goes_on: bool,
}

/// What the elements of a list are that do not say it themselves.
#[derive(Clone, Copy)]
enum Elements<'a> {
    /// The list does not say it either.
    Anything,
    /// Objects of a kind of the core group.
    Core(&'a str),
    /// Objects of another group.
    Foreign,
}

impl<'a> Head<'a> {
    fn of(fields: &'a Map<String, Value>) -> Self {
        let text = |field: &str| fields.get(field).and_then(Value::as_str);
        Self {
            kind: text("kind").filter(|kind| !kind.is_empty()),
            is_core: text("apiVersion").is_none_or(|version| version == "v1"),
            goes_on: fields.get("metadata").is_some_and(|metadata| {
                let token = metadata.get("continue").and_then(Value::as_str);
                let left = metadata.get("remainingItemCount").and_then(Value::as_u64);
                token.is_some_and(|token| !token.is_empty()) || left.is_some_and(|left| left > 0)
            }),
        }
    }

    /// The elements of the list; `None` where it is no list, or cannot be told.
    fn elements(self) -> Option<Elements<'a>> {
        match self.kind?.strip_suffix("List")? {
            "" => Some(Elements::Anything),
            kind if self.is_core => Some(Elements::Core(kind)),
            _ => Some(Elements::Foreign),
        }
    }
}

/// The elements of a list.
#[derive(Default)]
struct Items {
    elements: Vec<Element>,
    /// What one of them has lost.
    cut_off: Option<Cut>,
}

enum Element {
    Found(Found),
    /// It does not say what it is: what it is as each of [`KINDS`].
    Untold(Box<[Found; KINDS.len()]>),
}

impl Items {
    /// Adds an element. `of` is what the list says of it, where that is known.
    fn add(&mut self, tree: &Value, of: Option<Elements<'_>>) {
        let says_kind = tree.get("kind").is_some() || tree.get("items").is_some();
        if says_kind {
            match Document::single(tree) {
                Document::Found(found) => self.elements.extend(found.into_iter().map(Element::Found)),
                Document::CutOff(cut) => self.cut_off = Some(cut),
            }
            return;
        }
        self.elements.push(match of {
            None => Element::Untold(Box::new(KINDS.map(|kind| Found::new(tree, kind)))),
            Some(Elements::Core(kind)) => Element::Found(Found::new(tree, kind)),
            Some(Elements::Foreign) => Element::Found(Found::Ignored),
            Some(Elements::Anything) => Element::Found(without_kind()),
        });
    }

    /// The list's objects, where `head` is a list's. What has `items` and is of the core group is a list; if
    /// it does not say so, its end is missing.
    fn of_list(self, head: Head<'_>) -> Document {
        match head.elements() {
            Some(_) if head.goes_on && head.is_core => Document::CutOff(Cut::Pages),
            Some(of) => self.settle(of),
            None if head.is_core => Document::CutOff(Cut::List),
            None => Document::Found(vec![Found::Ignored]),
        }
    }

    fn settle(self, of: Elements<'_>) -> Document {
        if let Some(cut) = self.cut_off {
            return Document::CutOff(cut);
        }
        let told = |element| match (element, of) {
            (Element::Found(found), _) => found,
            (Element::Untold(_), Elements::Anything) => without_kind(),
            (Element::Untold(_), Elements::Foreign) => Found::Ignored,
            (Element::Untold(found), Elements::Core(kind)) => {
                let of_kind = |(known, _): &(&str, Found)| *known == kind;
                KINDS.into_iter().zip(*found).find(of_kind).map_or(Found::Ignored, |(_, found)| found)
            }
        };
        Document::Found(self.elements.into_iter().map(told).collect())
    }
}

fn without_kind() -> Found {
    Found::Broken {
        object: "an element of a list".into(),
        message: "it has no `kind`, and the list names none".into(),
    }
}

/// Reads the elements of a list one by one.
struct ItemsSeed<'a> {
    of: Option<Elements<'a>>,
}

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_> {
    type Value = Items;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Items, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_> {
    type Value = Items;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of Kubernetes objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items, A::Error> {
        let mut items = Items::default();
        while let Some(tree) = seq.next_element::<Value>()? {
            items.add(&tree, self.of);
        }
        Ok(items)
    }

    fn visit_unit<E>(self) -> Result<Items, E> {
        Ok(Items::default())
    }
}

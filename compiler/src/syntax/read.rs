//! Parser events to documents.
//!
//! After a text that is not YAML, reading resumes at the next `---`, so that one slip does not hide the
//! mistakes behind it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use granit_parser::{ErrorKind, Parser, ScalarStyle};

use super::{Node, Scalar, Tree, Value, allow};
use crate::check::{input_limit, yaml_syntax};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// What a file holds, in its order.
pub(crate) enum Event<'t, 's> {
    /// A whole document.
    Document(&'t Tree<'s>, &'t Node<'s>),
    /// A comment that asks for something: the text after `#`.
    Comment(&'s str, Span),
    /// A document, or what should have been one, that cannot be read.
    Unreadable(Diagnostic),
}

/// Hands every document and every comment that speaks to lrpc to `visit`, until it says stop.
pub(crate) fn read<'s>(source: &'s Source, mut visit: impl FnMut(Event<'_, 's>) -> bool) {
    let text: &'s str = source.text();
    let options = granit_parser::options! {
        max_buffered_comment_events: usize::MAX,
        // Most files speak to nobody in their comments; theirs need not be handed out.
        emit_comments: text.contains(allow::ADDRESSEE),
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::new(source);
    loop {
        let unreadable = match parser.next_event() {
            None => return,
            Some(Ok((event, span))) => match builder.event(event, span, &mut visit) {
                Ok(true) => continue,
                Ok(false) => return,
                Err(limit) => {
                    visit(Event::Unreadable(*limit));
                    return;
                }
            },
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or_default();
                if *error.kind() == ErrorKind::RecursionLimitExceeded {
                    input_limit::too_deep(source, at)
                } else {
                    yaml_syntax::report(source, at, &error.info())
                }
            }
        };
        if !visit(Event::Unreadable(unreadable)) || !parser.proceed_next_document().unwrap_or_default() {
            return;
        }
    }
}

/// The document that is being read.
struct Builder<'s> {
    source: &'s Source,
    tree: Tree<'s>,
    /// Finished nodes whose collection is still open, and at the end the root.
    finished: Vec<Node<'s>>,
    open: Vec<Open>,
    /// Finished nodes with an anchor, sorted by its number.
    anchors: Vec<(usize, Node<'s>)>,
    /// Nodes that aliases have added to the document.
    aliased: usize,
    /// Events of the whole file.
    events: usize,
}

/// A collection whose end has not been read.
struct Open {
    first_child: usize,
    anchor: usize,
    span: Span,
    size: u32,
}

impl<'s> Builder<'s> {
    fn new(source: &'s Source) -> Self {
        Self {
            source,
            tree: Tree::default(),
            finished: Vec::new(),
            open: Vec::new(),
            anchors: Vec::new(),
            aliased: 0,
            events: 0,
        }
    }

    /// Takes an event in; the answer is that of `visit`, or yes where there is nothing to visit yet. A limit
    /// that is reached is an error, after which nothing more is read.
    fn event(
        &mut self,
        event: granit_parser::Event<'s>,
        span: granit_parser::Span,
        visit: &mut impl FnMut(Event<'_, 's>) -> bool,
    ) -> Result<bool, Box<Diagnostic>> {
        use granit_parser::Event as E;
        let offset = |marker: granit_parser::Marker| marker.byte_offset().unwrap_or_default();
        let span = Span::new(offset(span.start), offset(span.end));
        self.events += 1;
        if self.events > input_limit::EVENTS {
            return Err(Box::new(input_limit::too_many(self.source, span)));
        }
        if self.tree.len() + self.finished.len() > input_limit::VALUES {
            return Err(Box::new(input_limit::too_large(self.source, span)));
        }
        match event {
            E::DocumentStart(..) => self.clear(),
            E::DocumentEnd => {
                if let Some(root) = self.finished.pop() {
                    return Ok(visit(Event::Document(&self.tree, &root)));
                }
            }
            E::Comment(Cow::Borrowed(text), _) if text.contains(allow::ADDRESSEE) => {
                return Ok(visit(Event::Comment(text, span)));
            }
            E::Scalar(text, style, anchor, tag) => {
                let is_string =
                    style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                self.finish(Node { span, size: 1, value: Value::Scalar(Scalar { text, is_string }) }, anchor);
            }
            E::SequenceStart(_, anchor, _) | E::MappingStart(_, anchor, _) => {
                self.open.push(Open { first_child: self.finished.len(), anchor, span, size: 1 });
            }
            E::SequenceEnd => self.close(span, Value::Sequence),
            E::MappingEnd => {
                self.merge();
                self.close(span, Value::Mapping);
            }
            E::Alias(anchor) => return self.alias(anchor, span, visit),
            E::StreamStart | E::StreamEnd | E::Comment(..) | E::Anchor(..) | E::UnresolvedAlias(_) | _ => {}
        }
        Ok(true)
    }

    fn clear(&mut self) {
        self.tree.clear();
        self.finished.clear();
        self.open.clear();
        self.anchors.clear();
        self.aliased = 0;
    }

    fn finish(&mut self, node: Node<'s>, anchor: usize) {
        if let Some(parent) = self.open.last_mut() {
            parent.size = parent.size.saturating_add(node.size);
        }
        if anchor != 0 {
            // Numbers are given where nodes begin, so that of a collection comes after those inside it.
            let at = self.anchors.partition_point(|(earlier, _)| *earlier < anchor);
            self.anchors.insert(at, (anchor, node.clone()));
        }
        self.finished.push(node);
    }

    /// Replaces the merge keys (`<<: *defaults`) of the innermost open mapping by what they stand for; what the
    /// mapping says itself comes first.
    fn merge(&mut self) {
        let Some(first) = self.open.last().map(|open| open.first_child) else { return };
        let own = self.finished.get(first..).unwrap_or_default().as_chunks::<2>().0;
        if !own.iter().any(|[key, value]| key.is_merge_key() && self.tree.is_mergeable(value)) {
            return;
        }
        let mut keys: BTreeSet<String> =
            own.iter().filter_map(|[key, _]| key.text().map(str::to_owned)).collect();
        let mut merged = Vec::with_capacity(own.len() * 2);
        let mut added = Vec::new();
        for [key, value] in own {
            if key.is_merge_key() && self.tree.is_mergeable(value) {
                let entries = self.tree.merged_entries(value);
                let new =
                    entries.filter(|[key, _]| key.text().is_some_and(|key| keys.insert(key.to_owned())));
                added.extend(new.flatten().cloned());
            } else {
                merged.extend([key.clone(), value.clone()]);
            }
        }
        merged.append(&mut added);
        self.finished.truncate(first);
        self.finished.append(&mut merged);
    }

    fn close(&mut self, end: Span, value: fn(super::tree::Children) -> Value<'s>) {
        let Some(Open { first_child, anchor, span, size }) = self.open.pop() else { return };
        // A flow collection ends with its bracket; the end of a block one is only noticed at what follows.
        let last = if end.end > end.start {
            end
        } else {
            self.finished.get(first_child..).and_then(<[_]>::last).map_or(span, |node| node.span)
        };
        let children = self.tree.adopt(self.finished.drain(first_child..));
        self.finish(Node { span: span.to(last), size, value: value(children) }, anchor);
    }

    fn alias(
        &mut self,
        anchor: usize,
        span: Span,
        visit: &mut impl FnMut(Event<'_, 's>) -> bool,
    ) -> Result<bool, Box<Diagnostic>> {
        let at = self.anchors.binary_search_by_key(&anchor, |(anchor, _)| *anchor);
        let Some((_, target)) = at.ok().and_then(|at| self.anchors.get(at)) else {
            let nothing = Scalar { text: Cow::Borrowed(""), is_string: false };
            self.finish(Node { span, size: 1, value: Value::Scalar(nothing) }, 0);
            return Ok(visit(Event::Unreadable(yaml_syntax::recursive_alias(self.source, span))));
        };
        self.aliased = self.aliased.saturating_add(target.size as usize);
        if self.aliased > input_limit::ALIASED {
            return Err(Box::new(input_limit::alias_bomb(self.source, span)));
        }
        let node = Node { span, ..target.clone() };
        self.finish(node, 0);
        Ok(true)
    }
}

impl Event<'_, '_> {
    /// Where it is.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Document(_, root) => root.span,
            Self::Comment(_, span) => *span,
            Self::Unreadable(problem) => problem
                .primary
                .as_ref()
                .map_or(Span::default(), |label| Span::new(label.at.span.start, label.at.span.end)),
        }
    }
}

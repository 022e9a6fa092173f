//! Documents of other kinds to what they will run; `None` where they say nothing about it, or in placeholders.

use std::collections::BTreeMap;

use lrpc_schema::image::{Port, Protocol};

use super::{Beside, ContainerPort, Service, ServicePort, Template, kustomization};
use crate::hir::Spanned;
use crate::source::{Source, Span};
use crate::syntax::{Node, Tree, Value};
use crate::template;

/// What a document of a kind makes.
pub(crate) fn read(
    source: &Source,
    tree: &Tree<'_>,
    node: &Node<'_>,
    kind: Option<&str>,
    api_version: Option<&str>,
) -> Option<Beside> {
    if let Some(kustomization) = kustomization::read(source, tree, node, kind) {
        return Some(Beside::Kustomization(kustomization));
    }
    let (kind, api_version) = (kind?, api_version?);
    let document = Document { source, tree, node };
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let spec: &[&str] = match (group, kind) {
        ("", "Service") => return document.service().map(Beside::Service),
        ("", "Pod") => &[],
        ("apps", "DaemonSet" | "Deployment" | "StatefulSet" | "ReplicaSet") | ("batch", "Job") => {
            &["spec", "template"]
        }
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
        _ => return None,
    };
    document.template(kind, spec).map(Beside::Template)
}

/// A document, walked by names.
pub(super) struct Document<'a, 's> {
    pub(super) source: &'a Source,
    pub(super) tree: &'a Tree<'s>,
    pub(super) node: &'a Node<'s>,
}

impl<'a, 's> Document<'a, 's> {
    fn template(&self, kind: &str, path: &[&str]) -> Option<Template> {
        let pod = self.at(self.node, path)?;
        let name = self.name()?;
        let spec = self.get(pod, "spec");
        let labels = self.at(pod, &["metadata", "labels"]);
        let containers = |list: &str| spec.and_then(|spec| self.get(spec, list));
        let ports = self.container_ports(containers("containers"))?;
        Some(Template {
            source: self.source.clone(),
            shown: Spanned::new(format!("{kind} `{}`", name.value), name.span),
            namespace: self.namespace()?,
            labels: self.labels(labels)?,
            labels_at: labels.map_or(name.span, |labels| self.head(labels)),
            host_network: spec.and_then(|spec| self.get(spec, "hostNetwork")?.text()) == Some("true"),
            ports: (!ports.is_empty()).then_some(ports),
            uncounted: self.container_ports(containers("initContainers"))?,
        })
    }

    fn service(&self) -> Option<Service> {
        let spec = self.get(self.node, "spec")?;
        let mut ports = Vec::new();
        for port in self.elements(self.get(spec, "ports")) {
            ports.push(ServicePort {
                at: self.head(port),
                port: number(self.get(port, "port")?)?,
                protocol: self.protocol(port)?,
                name: self.written(port, "name")?,
            });
        }
        Some(Service {
            source: self.source.clone(),
            name: self.name()?,
            namespace: self.namespace()?,
            selector: self.labels(self.get(spec, "selector"))?,
            ports,
        })
    }

    fn container_ports(&self, containers: Option<&Node<'s>>) -> Option<Vec<ContainerPort>> {
        let mut ports = Vec::new();
        for container in self.elements(containers) {
            let name = self.get(container, "name").and_then(Node::text).unwrap_or_default();
            for port in self.elements(self.get(container, "ports")) {
                ports.push(ContainerPort {
                    container: name.to_owned(),
                    at: self.head(port),
                    port: number(self.get(port, "containerPort")?)?,
                    protocol: self.protocol(port)?,
                    name: self.written(port, "name")?,
                });
            }
        }
        Some(ports)
    }

    fn name(&self) -> Option<Spanned<String>> {
        let node = self.at(self.node, &["metadata", "name"])?;
        Some(Spanned::new(rendered(node)?, node.span))
    }

    /// The inner `None` is a namespace that nobody wrote.
    fn namespace(&self) -> Option<Option<String>> {
        let metadata = self.get(self.node, "metadata")?;
        Some(self.written(metadata, "namespace")?.filter(|namespace| !namespace.is_empty()))
    }

    /// TCP where none is written; the inner `None` is one that no policy can name.
    fn protocol(&self, port: &Node<'s>) -> Option<Option<Protocol>> {
        Some(self.written(port, "protocol")?.as_deref().unwrap_or("TCP").parse().ok())
    }

    /// The inner `None` is a field that is not there.
    fn written(&self, node: &Node<'s>, field: &str) -> Option<Option<String>> {
        match self.get(node, field).filter(|node| !node.is_null()) {
            Some(node) => rendered(node).map(Some),
            None => Some(None),
        }
    }

    fn labels(&self, node: Option<&Node<'s>>) -> Option<BTreeMap<String, String>> {
        let mut labels = BTreeMap::new();
        if let Some(Value::Mapping(children)) = node.map(|node| &node.value) {
            for [key, value] in self.tree.entries(*children) {
                // Nothing there: a placeholder that YAML takes for a comment.
                labels.insert(rendered(key)?, rendered(value).filter(|_| !value.is_null())?);
            }
        }
        Some(labels)
    }

    pub(super) fn at<'n>(&'n self, node: &'n Node<'s>, path: &[&str]) -> Option<&'n Node<'s>> {
        path.iter().try_fold(node, |node, field| self.get(node, field))
    }

    pub(super) fn get<'n>(&'n self, node: &'n Node<'s>, field: &str) -> Option<&'n Node<'s>> {
        let Value::Mapping(children) = node.value else { return None };
        self.tree.entries(children).iter().find(|[key, _]| key.text() == Some(field)).map(|[_, value]| value)
    }

    pub(super) fn elements<'n>(&'n self, node: Option<&'n Node<'s>>) -> &'n [Node<'s>] {
        match node.map(|node| &node.value) {
            Some(Value::Sequence(children)) => self.tree.elements(*children),
            Some(Value::Scalar(_) | Value::Mapping(_)) | None => &[],
        }
    }

    /// The first entry of an object, so that a report underlines one line.
    pub(super) fn head(&self, node: &Node<'s>) -> Span {
        let Value::Mapping(children) = node.value else { return node.span };
        self.tree.entries(children).first().map_or(node.span, |[key, value]| key.span.to(value.span))
    }
}

/// A text without placeholders.
fn rendered(node: &Node<'_>) -> Option<String> {
    node.text().filter(|text| !template::is_in(text)).map(str::to_owned)
}

fn number(node: &Node<'_>) -> Option<Port> {
    Port::new(node.text()?.parse().ok()?)
}

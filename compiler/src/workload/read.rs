//! Documents of other kinds to what they will run; `None` where they say nothing about it, or in placeholders.

use std::collections::BTreeMap;

use lrpc_schema::image::{Port, Protocol};

use super::{Beside, ContainerPort, Service, ServicePort, Template, kustomization};
use crate::hir::Spanned;
use crate::source::Source;
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
        let spec = self.tree.field(pod, "spec");
        let labels = self.at(pod, &["metadata", "labels"]);
        let containers = |list: &str| spec.and_then(|spec| self.tree.field(spec, list));
        let ports = self.container_ports(containers("containers"))?;
        Some(Template {
            source: self.source.clone(),
            shown: Spanned::new(format!("{kind} `{}`", name.value), name.span),
            namespace: self.namespace()?,
            labels: self.labels(labels)?,
            labels_at: labels.map_or(name.span, |labels| self.tree.head(labels)),
            host_network: spec.and_then(|spec| self.tree.field(spec, "hostNetwork")?.text()) == Some("true"),
            ports: (!ports.is_empty()).then_some(ports),
            uncounted: self.container_ports(containers("initContainers"))?,
        })
    }

    fn service(&self) -> Option<Service> {
        let spec = self.tree.field(self.node, "spec")?;
        let mut ports = Vec::new();
        for port in self.elements(self.tree.field(spec, "ports")) {
            ports.push(ServicePort {
                at: self.tree.head(port),
                port: number(self.tree.field(port, "port")?)?,
                protocol: self.protocol(port)?,
                name: self.written(port, "name")?,
            });
        }
        Some(Service {
            source: self.source.clone(),
            name: self.name()?,
            namespace: self.namespace()?,
            selector: self.labels(self.tree.field(spec, "selector"))?,
            ports,
        })
    }

    fn container_ports(&self, containers: Option<&Node<'s>>) -> Option<Vec<ContainerPort>> {
        let mut ports = Vec::new();
        for container in self.elements(containers) {
            let name = self.tree.field(container, "name").and_then(Node::text).unwrap_or_default();
            for port in self.elements(self.tree.field(container, "ports")) {
                ports.push(ContainerPort {
                    container: name.to_owned(),
                    at: self.tree.head(port),
                    port: number(self.tree.field(port, "containerPort")?)?,
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
        let metadata = self.tree.field(self.node, "metadata")?;
        Some(self.written(metadata, "namespace")?.filter(|namespace| !namespace.is_empty()))
    }

    /// TCP where none is written; the inner `None` is one that no policy can name.
    fn protocol(&self, port: &Node<'s>) -> Option<Option<Protocol>> {
        Some(self.written(port, "protocol")?.as_deref().unwrap_or("TCP").parse().ok())
    }

    /// The inner `None` is a field that is not there.
    fn written(&self, node: &Node<'s>, field: &str) -> Option<Option<String>> {
        match self.tree.field(node, field).filter(|node| !node.is_null()) {
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
        path.iter().try_fold(node, |node, field| self.tree.field(node, field))
    }

    pub(super) fn elements(&self, node: Option<&Node<'s>>) -> &'a [Node<'s>] {
        node.and_then(|node| self.tree.list(node)).unwrap_or_default()
    }
}

/// A text without placeholders.
fn rendered(node: &Node<'_>) -> Option<String> {
    node.text().filter(|text| !template::is_in(text)).map(str::to_owned)
}

fn number(node: &Node<'_>) -> Option<Port> {
    Port::new(node.text()?.parse().ok()?)
}

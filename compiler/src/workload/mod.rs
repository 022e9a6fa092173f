//! What lies beside the policies and says what will run: the pod templates of Pods, DaemonSets, Deployments and
//! their like, and Services. Policies are held against them without a cluster.
//!
//! [`read()`] takes them out of their documents, never reporting: a Deployment's own mistakes are others' to
//! find, and of what is a placeholder nothing is known. A repository need not hold everything that runs, so an
//! answer is asked for only where something of the policy's namespace is there.

mod kustomization;
mod meet;
mod read;

use std::collections::BTreeMap;

use lrpc_schema::image::{Port, Protocol, Selector};

use crate::hir::Spanned;
use crate::source::{Source, Span};

pub(crate) use kustomization::{Kustomization, Patch, plain};
pub(crate) use meet::{Miss, Nearest, misses};
pub(crate) use read::read;

/// A document that says what will run.
#[derive(Debug)]
pub(crate) enum Beside {
    Template(Template),
    Service(Service),
    Kustomization(Kustomization),
}

/// The pods that one document makes.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) source: Source,
    /// The document's kind and name, `DaemonSet node-local-dns`, and where the name stands.
    pub(crate) shown: Spanned<String>,
    /// `None` where whoever applies it decides.
    pub(crate) namespace: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Where the labels stand, else the name.
    pub(crate) labels_at: Span,
    pub(crate) host_network: bool,
    /// The ports of regular containers; `None` where they declare none (R10).
    pub(crate) ports: Option<Vec<ContainerPort>>,
    /// The ports of init containers, which do not count (R7).
    pub(crate) uncounted: Vec<ContainerPort>,
}

/// One declared port.
#[derive(Debug)]
pub(crate) struct ContainerPort {
    pub(crate) container: String,
    pub(crate) at: Span,
    pub(crate) port: Port,
    /// `None` for one that no policy can name.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) name: Option<String>,
}

/// A Service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) source: Source,
    pub(crate) name: Spanned<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: BTreeMap<String, String>,
    pub(crate) ports: Vec<ServicePort>,
}

/// One port of a Service.
#[derive(Debug)]
pub(crate) struct ServicePort {
    pub(crate) at: Span,
    pub(crate) port: Port,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) name: Option<String>,
}

/// How often two names are weighed against each other for a whole set: it bounds the time that slips cost.
const WEIGHINGS: usize = 1 << 16;

/// Everything that lies beside the policies, by what is asked for: a set may hold ten thousand of each.
#[derive(Debug, Default)]
pub(crate) struct Workloads<'a> {
    /// How many names one policy is weighed against for the nearest.
    pub(crate) weighed: usize,
    /// By namespace; under `None` those that may be in any.
    templates: BTreeMap<Option<&'a str>, Vec<&'a Template>>,
    /// By one label.
    labelled: BTreeMap<(&'a str, &'a str), Vec<&'a Template>>,
    /// Those on the host network.
    pub(crate) on_host: Vec<&'a Template>,
    services: BTreeMap<Option<&'a str>, Vec<&'a Service>>,
    named: BTreeMap<&'a str, Vec<&'a Service>>,
}

impl<'a> Workloads<'a> {
    pub(crate) fn new(beside: impl Iterator<Item = &'a Beside>, policies: usize) -> Self {
        let weighed = (WEIGHINGS / policies.max(1)).clamp(16, 1024);
        let mut workloads = Self { weighed, ..Self::default() };
        for one in beside {
            match one {
                Beside::Template(template) => workloads.template(template),
                Beside::Service(service) => {
                    workloads.services.entry(service.namespace.as_deref()).or_default().push(service);
                    workloads.named.entry(&service.name.value).or_default().push(service);
                }
                Beside::Kustomization(_) => {}
            }
        }
        workloads
    }

    fn template(&mut self, template: &'a Template) {
        self.templates.entry(template.namespace.as_deref()).or_default().push(template);
        for (key, value) in &template.labels {
            self.labelled.entry((key, value)).or_default().push(template);
        }
        if template.host_network {
            self.on_host.push(template);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.templates.is_empty() && self.services.is_empty()
    }

    /// The templates whose pods may run in a namespace.
    pub(crate) fn templates_in<'w>(&'w self, namespace: &'w str) -> impl Iterator<Item = &'w Template> {
        let [of_it, of_any] = [Some(namespace), None].map(|key| self.templates.get(&key));
        of_it.into_iter().chain(of_any).flatten().copied()
    }

    /// The templates of a namespace that a selector matches.
    pub(crate) fn selected<'w>(&'w self, namespace: &'w str, selector: &'w Selector) -> Vec<&'w Template> {
        let matches = |template: &&Template| selector.matches(&template.labels);
        match selector.required_label() {
            Some(label) => {
                let is_in = |one: &&Template| one.namespace.as_deref().is_none_or(|one| one == namespace);
                let labelled = self.labelled.get(&label).into_iter().flatten().copied();
                labelled.filter(is_in).filter(matches).collect()
            }
            None => self.templates_in(namespace).filter(matches).collect(),
        }
    }

    /// The Services that may be in a namespace.
    pub(crate) fn services_in<'w>(&'w self, namespace: &'w str) -> impl Iterator<Item = &'w Service> {
        let [of_it, of_any] = [Some(namespace), None].map(|key| self.services.get(&key));
        of_it.into_iter().chain(of_any).flatten().copied()
    }

    /// The Service of a name, where just one document of the namespace has it.
    pub(crate) fn service<'w>(&'w self, namespace: &str, name: &'w str) -> Option<&'w Service> {
        let is_in = |one: &&&Service| one.namespace.as_deref().is_none_or(|one| one == namespace);
        let mut found = self.named.get(name).into_iter().flatten().filter(is_in);
        found.next().filter(|_| found.next().is_none()).copied()
    }
}

impl Template {
    /// The declared ports of regular containers.
    pub(crate) fn ports(&self) -> &[ContainerPort] {
        self.ports.as_deref().unwrap_or_default()
    }
}

/// A container port as `53/UDP (dns)`.
pub(crate) fn declared(port: &ContainerPort) -> String {
    shown(port.port, port.protocol, port.name.as_deref())
}

/// A Service's port as `53/UDP (dns)`.
pub(crate) fn shown_port(port: &ServicePort) -> String {
    shown(port.port, port.protocol, port.name.as_deref())
}

fn shown(port: Port, protocol: Option<Protocol>, name: Option<&str>) -> String {
    let protocol = protocol.map_or("SCTP", Protocol::as_str);
    match name {
        Some(name) => format!("{port}/{protocol} ({name})"),
        None => format!("{port}/{protocol}"),
    }
}

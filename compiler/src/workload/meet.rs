//! Which backend ports no selected template has (R7-R11), and the nearest miss of each: all fits but the name, all
//! but the protocol, else the port is not there.

use lrpc_schema::image::{Port, Protocol};

use super::{ContainerPort, Template};
use crate::hir::{Policy, PortInfo, Spanned};

/// A backend port that no template has.
pub(crate) struct Miss<'a> {
    pub(crate) info: &'a PortInfo,
    pub(crate) port: Spanned<Port>,
    pub(crate) protocol: Spanned<Protocol>,
    pub(crate) nearest: Nearest<'a>,
}

/// What comes nearest to it.
pub(crate) enum Nearest<'a> {
    /// Number and protocol under another name, or none.
    Name(&'a Template, &'a ContainerPort),
    /// The number with the other protocol.
    Protocol(&'a Template, &'a ContainerPort),
    /// Nothing; the first template.
    None(&'a Template),
}

/// The backend ports that count and that no template has.
pub(crate) fn misses<'a>(policy: &'a Policy, templates: &[&'a Template]) -> Vec<Miss<'a>> {
    let names_count = policy.do_names_count();
    let counting = policy.counting_backend_ports().iter();
    counting.filter_map(|info| miss(info, names_count, templates)).collect()
}

fn miss<'a>(info: &'a PortInfo, names_count: bool, templates: &[&'a Template]) -> Option<Miss<'a>> {
    let (port, protocol) = (info.port?, info.protocol?);
    let name = if names_count { Some(info.name()?) } else { None };
    let is_number = |one: &ContainerPort| one.port == port.value;
    let is_port = |one: &ContainerPort| is_number(one) && one.protocol == Some(protocol.value);
    let serves = |template: &Template| match &template.ports {
        None => name.is_none(),
        Some(ports) => {
            ports.iter().any(|one| is_port(one) && (name.is_none() || one.name.as_deref() == name))
        }
    };
    if templates.iter().any(|template| serves(template)) {
        return None;
    }
    let find = |fits: &dyn Fn(&ContainerPort) -> bool| {
        templates
            .iter()
            .find_map(|template| Some((*template, template.ports().iter().find(|one| fits(one))?)))
    };
    let nearest = match (find(&is_port), find(&is_number)) {
        (Some((template, found)), _) => Nearest::Name(template, found),
        (None, Some((template, found))) => Nearest::Protocol(template, found),
        (None, None) => Nearest::None(templates.first()?),
    };
    Some(Miss { info, port, protocol, nearest })
}

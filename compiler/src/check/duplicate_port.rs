//! L2: one (port, protocol) twice in the frontend list, or in the backend list under one name or where names do
//! not count, is a slip: which line counts?

use lrpc_schema::image::{Port, Protocol};

use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::{Policy, PortInfo, Ports};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("duplicate-port", Error, "a port is listed twice");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let Some(frontend) = &policy.frontend else { return };
    doubles(&policy.source, frontend.ports(), |_, _| true, out);
    let names_count = policy.backend_names_required() && !policy.is_single();
    let same_name = |a: &PortInfo, b: &PortInfo| !names_count || a.name.written() == b.name.written();
    doubles(&policy.source, &policy.backend.ports, same_name, out);
}

fn doubles(
    source: &Source,
    ports: &Ports,
    same: impl Fn(&PortInfo, &PortInfo) -> bool,
    out: &mut Vec<Diagnostic>,
) {
    let mut seen: Vec<(Port, Protocol, Span, &PortInfo)> = Vec::new();
    for info in &ports.list {
        let (Some(port), Some(protocol)) = (info.port, info.protocol) else { continue };
        let is_double = |(other, transport, _, first): &&(Port, Protocol, Span, &PortInfo)| {
            *other == port.value && *transport == protocol.value && same(first, info)
        };
        match seen.iter().find(is_double) {
            Some((.., first, _)) => out.push(
                PAGE.report(format!("the port `{}/{}` is listed twice", port.value, protocol.value))
                    .at(source, port.span, "listed again here")
                    .related(source, *first, "first listed here")
                    .help("remove one of the two"),
            ),
            None => seen.push((port.value, protocol.value, port.span, info)),
        }
    }
}

//! `spec.redirectFrontend`: an address or a Service, never both.

use lrpc_schema::diagnostic::Field;

use lrpc_schema::image::FrontendAddress;

use super::object::{Object, Reader};
use super::ports;
use crate::check::{
    both_matchers, invalid_address, invalid_name, loopback_frontend, no_matcher, unusable_address,
};
use crate::hir::{Frontend, Namespace, Ports, Spanned};
use crate::names::is_dns_label;
use crate::syntax::{Node, Value};

const PATH: &str = "spec.redirectFrontend";
const ADDRESS: &str = "spec.redirectFrontend.addressMatcher";
const SERVICE: &str = "spec.redirectFrontend.serviceMatcher";

/// The number of frontend ports that are listed, right or wrong.
pub(super) fn port_count(reader: &Reader<'_, '_>, spec: &Object<'_, '_>) -> usize {
    let Some((_, frontend)) = spec.get("redirectFrontend") else { return 0 };
    let Value::Mapping(children) = frontend.value else { return 0 };
    let matchers = reader.tree.entries(children).iter().map(|[_, matcher]| ports::count(reader, matcher));
    matchers.max().unwrap_or_default()
}

pub(super) fn lower<'t, 's>(
    reader: &mut Reader<'t, 's>,
    spec: &Object<'t, 's>,
    own: &Namespace,
    names_required: bool,
) -> Option<Frontend> {
    let path = Field::Fixed(PATH);
    let example = "redirectFrontend: {addressMatcher: …}";
    let (key, node) = reader.required(spec, "redirectFrontend", &path, example)?;
    reader.place(path.clone(), key.span);
    let object = reader.object(node, &path, key.span, &["addressMatcher", "serviceMatcher"])?;
    let address = object.get("addressMatcher");
    let service = object.get("serviceMatcher");
    match (address, service) {
        (Some((address, _)), Some((service, _))) => {
            reader.report(both_matchers::report(reader.source, address.span, service.span));
            None
        }
        (Some((key, node)), None) => address_matcher(reader, key, node, names_required),
        (None, Some((key, node))) => service_matcher(reader, key, node, own, names_required),
        (None, None) => {
            // A matcher under a misspelt name has been reported as an unknown field.
            if object
                .entries
                .iter()
                .all(|[key, _]| matches!(key.text(), Some("addressMatcher" | "serviceMatcher")))
            {
                reader.report(no_matcher::report(reader.source, key.span));
            }
            None
        }
    }
}

fn address_matcher<'t, 's>(
    reader: &mut Reader<'t, 's>,
    key: &'t Node<'s>,
    node: &'t Node<'s>,
    names_required: bool,
) -> Option<Frontend> {
    let path = Field::Fixed(ADDRESS);
    reader.place(path.clone(), key.span);
    let object = reader.object(node, &path, key.span, &["ip", "toPorts"])?;
    let field = Field::Fixed(invalid_address::FRONTEND);
    let ip = reader
        .required(&object, "ip", &field, "ip: 169.254.169.254")
        .and_then(|(_, node)| reader.string(node, field))
        .and_then(|text| address(reader, text));
    let path = "spec.redirectFrontend.addressMatcher.toPorts";
    let ports = reader
        .required(&object, "toPorts", &Field::Fixed(path), "toPorts: [{port: \"80\", protocol: TCP}]")
        .map(|(key, node)| ports::lower(reader, key, node, path, names_required, false))
        .unwrap_or_default();
    Some(Frontend::Address { ip, ports })
}

fn address(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Option<Spanned<FrontendAddress>> {
    let (source, span) = (reader.source, text.span);
    let problem = match invalid_address::parse(source, span, invalid_address::FRONTEND, text.value) {
        Ok(address) => match FrontendAddress::new(address) {
            Ok(plain) => {
                reader.problems.extend(loopback_frontend::check(source, span, address));
                return Some(Spanned::new(plain, span));
            }
            Err(wrong) => unusable_address::report(source, span, address, wrong),
        },
        Err(problem) => *problem,
    };
    reader.report(problem);
    None
}

fn service_matcher<'t, 's>(
    reader: &mut Reader<'t, 's>,
    key: &'t Node<'s>,
    node: &'t Node<'s>,
    own: &Namespace,
    names_required: bool,
) -> Option<Frontend> {
    let path = Field::Fixed(SERVICE);
    reader.place(path.clone(), key.span);
    let object = reader.object(node, &path, key.span, &["serviceName", "namespace", "toPorts"])?;
    let name = dns_label(
        reader,
        &object,
        "serviceName",
        "spec.redirectFrontend.serviceMatcher.serviceName",
        "serviceName: kube-dns",
    );
    // Only the policy's own can be right (R3).
    let example = match own {
        Namespace::Written(own) => format!("namespace: {}", own.value),
        Namespace::Absent | Namespace::Wrong => "namespace: kube-system".to_owned(),
    };
    let path = "spec.redirectFrontend.serviceMatcher.namespace";
    let namespace = dns_label(reader, &object, "namespace", path, &example);
    let path = "spec.redirectFrontend.serviceMatcher.toPorts";
    let ports = match object.get("toPorts") {
        Some((key, node)) => ports::lower(reader, key, node, path, names_required, true),
        None => Ports { list: Vec::new(), is_whole: true },
    };
    Some(Frontend::Service { name, namespace, ports })
}

fn dns_label<'t, 's>(
    reader: &mut Reader<'t, 's>,
    matcher: &Object<'t, 's>,
    name: &str,
    path: &'static str,
    example: &str,
) -> Option<Spanned<String>> {
    let (_, node) = reader.required(matcher, name, &Field::Fixed(path), example)?;
    let text = reader.string(node, Field::Fixed(path))?;
    if !is_dns_label(text.value) {
        reader.report(invalid_name::report(reader.source, text.span, path, text.value, false));
        return None;
    }
    Some(text.map(str::to_owned))
}

//! The rules: one file for each diagnostic, with its page, its words and its check.
//!
//! Three kinds of rule live here. What one value or object shows by itself is asked for where it is read
//! ([`lower`](crate::lower)); rules between the fields of one policy run in [`policy`], still per file; rules
//! between policies, and those that need [`Options`], run in [`set`].

// Text.
pub(crate) mod duplicate_key;
pub(crate) mod foreign_kind;
pub(crate) mod input_limit;
pub(crate) mod kustomize_patch;
pub(crate) mod malformed_allow;
pub(crate) mod near_miss_kind;
pub(crate) mod not_text;
pub(crate) mod unused_allow;
pub(crate) mod yaml_syntax;

// Fields.
pub(crate) mod duplicate_policy;
pub(crate) mod invalid_name;
pub(crate) mod missing_field;
pub(crate) mod missing_namespace;
pub(crate) mod unknown_field;
pub(crate) mod wrong_type;

// Frontends.
pub(crate) mod both_matchers;
pub(crate) mod cilium_conflict;
pub(crate) mod disallowed_address;
pub(crate) mod forbidden_redirect;
pub(crate) mod frontend_overlap;
pub(crate) mod invalid_address;
pub(crate) mod loopback_frontend;
pub(crate) mod namespace_mismatch;
pub(crate) mod no_matcher;
pub(crate) mod unusable_address;

// Ports.
pub(crate) mod duplicate_port;
pub(crate) mod duplicate_port_name;
pub(crate) mod ignored_backend_port;
pub(crate) mod ignored_port_name;
pub(crate) mod invalid_port_name;
pub(crate) mod missing_port_name;
pub(crate) mod no_ports;
pub(crate) mod one_port_two_names;
pub(crate) mod port_not_a_number;
pub(crate) mod port_octal;
pub(crate) mod port_out_of_range;
pub(crate) mod port_refused_by_crd;
pub(crate) mod port_zero;
pub(crate) mod protocol_mismatch;
pub(crate) mod unknown_protocol;
pub(crate) mod unmatched_frontend_name;
pub(crate) mod upper_case_port_name;

// Selectors and annotations.
pub(crate) mod backend_address_range;
pub(crate) mod backend_is_frontend;
pub(crate) mod empty_selector;
pub(crate) mod invalid_annotation;
pub(crate) mod invalid_label;
pub(crate) mod invalid_selector;
pub(crate) mod unknown_annotation;

// What lies beside the policies.
pub(crate) mod selector_matches_no_template;
pub(crate) mod service_lacks_port;
pub(crate) mod service_name_slip;
pub(crate) mod service_port_name;
pub(crate) mod template_not_on_host;
pub(crate) mod template_on_host;
pub(crate) mod template_port_missing;
pub(crate) mod template_port_name;
pub(crate) mod template_port_protocol;

use lrpc_schema::image::PolicyName;

use crate::diagnostic::{Diagnostic, Page};
use crate::hir::{Frontend, Policy};
use crate::options::Options;
use crate::workload::{Nearest, Workloads, misses};

/// Every diagnostic about text, in the order of the manual.
pub static PAGES: &[Page] = &[
    not_text::PAGE,
    input_limit::PAGE,
    yaml_syntax::PAGE,
    duplicate_key::PAGE,
    near_miss_kind::PAGE,
    foreign_kind::PAGE,
    kustomize_patch::PAGE,
    malformed_allow::PAGE,
    unused_allow::PAGE,
    unknown_field::PAGE,
    wrong_type::PAGE,
    missing_field::PAGE,
    invalid_name::PAGE,
    missing_namespace::PAGE,
    duplicate_policy::PAGE,
    both_matchers::PAGE,
    no_matcher::PAGE,
    invalid_address::PAGE,
    unusable_address::PAGE,
    loopback_frontend::PAGE,
    disallowed_address::PAGE,
    namespace_mismatch::PAGE,
    forbidden_redirect::PAGE,
    frontend_overlap::PAGE,
    cilium_conflict::PAGE,
    no_ports::PAGE,
    port_zero::PAGE,
    port_out_of_range::PAGE,
    port_octal::PAGE,
    port_not_a_number::PAGE,
    port_refused_by_crd::PAGE,
    unknown_protocol::PAGE,
    missing_port_name::PAGE,
    invalid_port_name::PAGE,
    ignored_port_name::PAGE,
    upper_case_port_name::PAGE,
    duplicate_port::PAGE,
    duplicate_port_name::PAGE,
    one_port_two_names::PAGE,
    protocol_mismatch::PAGE,
    ignored_backend_port::PAGE,
    unmatched_frontend_name::PAGE,
    invalid_label::PAGE,
    invalid_selector::PAGE,
    empty_selector::PAGE,
    unknown_annotation::PAGE,
    invalid_annotation::PAGE,
    backend_address_range::PAGE,
    backend_is_frontend::PAGE,
    selector_matches_no_template::PAGE,
    template_port_missing::PAGE,
    template_port_protocol::PAGE,
    template_port_name::PAGE,
    template_not_on_host::PAGE,
    template_on_host::PAGE,
    service_name_slip::PAGE,
    service_lacks_port::PAGE,
    service_port_name::PAGE,
];

/// Every policy of the input, sorted by file and place, and the options.
pub(crate) struct Set<'a> {
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) options: &'a Options,
    /// What lies beside the policies.
    pub(crate) workloads: Workloads<'a>,
}

/// A policy of the input, with the name that the options may complete (L13).
pub(crate) struct Member<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) name: Option<PolicyName>,
}

impl Member<'_> {
    /// The diagnostic as one about this policy.
    fn about(&self, diagnostic: Diagnostic) -> Diagnostic {
        Diagnostic { policy: self.name.clone(), ..diagnostic }
    }
}

/// The rules between the fields of one policy.
pub(crate) fn policy(policy: &mut Policy) {
    let mut out = std::mem::take(&mut policy.problems);
    duplicate_port::check(policy, &mut out);
    duplicate_port_name::check(policy, &mut out);
    one_port_two_names::check(policy, &mut out);
    protocol_mismatch::check(policy, &mut out);
    ignored_backend_port::check(policy, &mut out);
    unmatched_frontend_name::check(policy, &mut out);
    backend_is_frontend::check(policy, &mut out);
    policy.problems = out;
}

/// The rules between policies, and those that options decide.
pub(crate) fn set(set: &Set<'_>, out: &mut Vec<Diagnostic>) {
    missing_namespace::check(set, out);
    namespace_mismatch::check(set, out);
    disallowed_address::check(set, out);
    forbidden_redirect::check(set, out);
    let is_double = duplicate_policy::check(set, out);
    frontend_overlap::check(set, &is_double, out);
    cilium_conflict::check(set, &is_double, out);
    let beside_them = if set.workloads.is_empty() { &[][..] } else { &set.members };
    for member in beside_them {
        beside(member, &set.workloads, out);
    }
}

/// One policy against what lies beside it.
fn beside(member: &Member<'_>, workloads: &Workloads<'_>, out: &mut Vec<Diagnostic>) {
    let Some(name) = &member.name else { return };
    let namespace = &*name.namespace;
    if let Some(selector) = &member.policy.backend.selector {
        let selected = workloads.selected(namespace, &selector.value);
        if selected.is_empty() {
            out.extend(selector_matches_no_template::check(member, namespace, workloads));
        }
        for miss in misses(member.policy, &selected) {
            match miss.nearest {
                Nearest::Name(template, found) => {
                    out.extend(template_port_name::report(member, &miss, template, found));
                }
                Nearest::Protocol(template, found) => {
                    out.push(template_port_protocol::report(member, &miss, template, found));
                }
                Nearest::None(template) => out.push(template_port_missing::report(member, &miss, template)),
            }
        }
        out.extend(template_not_on_host::check(member, &selected));
        out.extend(template_on_host::check(member, workloads, &selected));
    }
    if let Some(Frontend::Service { name: Some(service), .. }) = &member.policy.frontend {
        match workloads.service(namespace, &service.value) {
            Some(service) => {
                service_lacks_port::check(member, service, out);
                service_port_name::check(member, service, out);
            }
            None => out.extend(service_name_slip::check(member, namespace, service, workloads)),
        }
    }
}

//! Rendering of diagnostics for assertions: place, code, headline, then the underlined text of each label.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::allow_attributes, reason = "whether it silences something differs between test files")]

use std::fmt::Write;

use lrpc_compiler::{Checked, Diagnostic, Options, Source, check, parse};
use lrpc_schema::diagnostic::{Label, Spot};

/// Checks files, given as name and text.
pub(crate) fn checked(files: &[(&str, &str)], options: &Options) -> Checked {
    let parsed = files.iter().map(|(name, text)| parse(&Source::new(*name, *text))).collect();
    check(parsed, options)
}

/// What is reported about one file with the default options.
pub(crate) fn report(text: &str) -> String {
    rendered(&checked(&[("a.yaml", text)], &Options::default()).diagnostics)
}

/// Line, column, headline and help of each diagnostic about one file.
pub(crate) fn headlines(text: &str) -> Vec<String> {
    headlines_of(&checked(&[("a.yaml", text)], &Options::default()).diagnostics)
}

/// Line, column, headline and help of each diagnostic.
pub(crate) fn headlines_of(diagnostics: &[Diagnostic]) -> Vec<String> {
    let headline = |diagnostic: &Diagnostic| {
        let (line, column) = diagnostic.line_and_column().unwrap();
        format!("{line}:{column} {}: {}", diagnostic.message, diagnostic.help.as_deref().unwrap())
    };
    diagnostics.iter().map(headline).collect()
}

/// One block for each diagnostic.
pub(crate) fn rendered(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let Diagnostic { code, severity, message, policy, primary, related, help, nodes: _ } = diagnostic;
        let place = primary.as_ref().map(place).unwrap_or_default();
        writeln!(out, "{place}: {severity}[{code}] {message}").unwrap();
        if let Some(policy) = policy {
            writeln!(out, "  of {policy}").unwrap();
        }
        for label in primary.iter().chain(related) {
            let text = &label.at.source.text()[label.at.span.clone()];
            writeln!(out, "  {} {text:?} {}", self::place(label), label.message).unwrap();
        }
        if let Some(help) = help {
            writeln!(out, "  help: {help}").unwrap();
        }
    }
    out
}

/// `file:line:column-line:column`.
fn place(label: &Label<Spot>) -> String {
    let Spot { source, span } = &label.at;
    let (start, end) = (source.position(span.start), source.position(span.end));
    format!("{}:{}:{}-{}:{}", source.name(), start.line, start.column, end.line, end.column)
}

/// The guide's address policy.
pub(crate) const ADDRESS: &str = r#"apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: redirect
  namespace: default
spec:
  redirectFrontend:
    addressMatcher:
      ip: "169.254.169.254"
      toPorts:
        - port: "8080"
          protocol: TCP
  redirectBackend:
    localEndpointSelector:
      matchLabels:
        app: proxy
    toPorts:
      - port: "80"
        protocol: TCP
"#;

/// The node-local DNS policy.
pub(crate) const SERVICE: &str = r#"apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: nodelocaldns
  namespace: kube-system
spec:
  redirectFrontend:
    serviceMatcher:
      serviceName: kube-dns
      namespace: kube-system
  redirectBackend:
    localEndpointSelector:
      matchLabels:
        k8s-app: node-local-dns
    toPorts:
      - {port: "53", name: dns, protocol: UDP}
      - {port: "53", name: dns-tcp, protocol: TCP}
"#;

/// The address policy with one piece of its text replaced.
pub(crate) fn address(from: &str, to: &str) -> String {
    assert!(ADDRESS.contains(from), "{from:?} is not in the policy");
    ADDRESS.replacen(from, to, 1)
}

//! L2: a slip in the CRD's pattern leaves out 1,111 ports. lrpc redirects them; `kubectl apply` refuses the object.

use crate::diagnostic::{Diagnostic, Page, page};
use lrpc_schema::image::Port;

use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("port-refused-by-crd", Warning, since "0.1.0", "a legal port that the CRD of Cilium refuses");

pub(crate) fn check(source: &Source, span: Span, port: Port) -> Option<Diagnostic> {
    let refused = matches!(port.get(), 60000..=60999 | 65000..=65099 | 65500..=65509 | 65530);
    refused.then(|| {
        PAGE.report(format!("the CRD of Cilium refuses the port `{port}`"))
            .at(source, span, "legal, but `kubectl apply` refuses it")
            .help("lrpc redirects it; choose another port if the API server must accept the policy")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_leaves_out_1111_ports() {
        let source = Source::new("a.yaml", "");
        let refused =
            |port: &u16| Port::new(*port).and_then(|port| check(&source, Span::default(), port)).is_some();
        assert_eq!((1..=u16::MAX).filter(refused).count(), 1111);
    }
}

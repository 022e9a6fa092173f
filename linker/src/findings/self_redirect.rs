//! A backend that connects to its own frontend would come back to itself (L8, R31).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};
use crate::inventory::Service;
use crate::mapset::Row;

pub(crate) struct SelfRedirect<'a> {
    pub(crate) policy: &'a Policy,
    /// One of the rows.
    pub(crate) row: &'a Row,
    /// The Service of a service policy.
    pub(crate) service: Option<&'a Service>,
}

impl Facts for SelfRedirect<'_> {
    const CODE: Code = Code::new("self-redirect");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SKIP
    }

    fn message(&self) -> String {
        format!("a backend pod that connects to `{}` is redirected to itself", self.row.frontend)
    }

    fn help(&self) -> String {
        let skip = "set `skipRedirectFromBackend: true`";
        let allow = "say `# lrpc: allow(self-redirect) reason` if no backend connects to it";
        match self.service.filter(|service| !service.selector.is_empty()) {
            Some(service) => format!(
                "let the backends reach the pods of `{}` through another Service with its selector, which no \
                 policy redirects; or {skip}; or {allow}",
                service.name
            ),
            None => format!("{skip}, or {allow}"),
        }
    }
}

//! A backend that connects to its own frontend would come back to itself (L8, R31).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};
use crate::mapset::Frontend;

pub(crate) struct SelfRedirect<'a> {
    pub(crate) policy: &'a Policy,
    /// One of the frontends.
    pub(crate) frontend: Frontend,
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
        format!("a backend pod that connects to `{}` is redirected to itself", self.frontend)
    }

    fn help(&self) -> String {
        "set `skipRedirectFromBackend: true`, so that the backends reach the original destination".into()
    }
}

//! Two policies meet on one frontend, which only the inventory shows (L1). The code is the compiler's, for
//! the same fault in text, and so is its page.

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, Related, Severity, field};
use crate::mapset::Frontend;

pub(crate) struct FrontendOverlap<'a> {
    /// The policy without a row.
    pub(crate) policy: &'a Policy,
    pub(crate) place: Option<usize>,
    pub(crate) frontend: Frontend,
    /// The policy that keeps the frontend.
    pub(crate) owner: &'a Policy,
    pub(crate) owner_place: Option<usize>,
}

impl Facts for FrontendOverlap<'_> {
    const CODE: Code = Code::new("frontend-overlap");
    const SEVERITY: Severity = Severity::Error;

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::frontend(self.policy, self.place)
    }

    fn message(&self) -> String {
        format!("frontend `{}` is already claimed by policy `{}`", self.frontend, self.owner.name)
    }

    fn help(&self) -> String {
        "remove one of the two or give them different ports".into()
    }

    fn related(&self) -> Vec<Related> {
        vec![super::at(self.owner, field::frontend(self.owner, self.owner_place), "claimed here")]
    }
}

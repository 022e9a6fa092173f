//! A pod serves at the frontend itself, so a redirect to it would lead back to where it was caught (L15).

use lrpc_schema::diagnostic::{Code, Field};
use lrpc_schema::image::Policy;

use super::{Facts, field};
use crate::inventory::Pod;
use crate::mapset::Frontend;

pub(crate) struct PodAtFrontend<'a> {
    pub(crate) policy: &'a Policy,
    /// The frontend's place in the policy's list.
    pub(crate) place: Option<usize>,
    pub(crate) frontend: Frontend,
    /// The first such pod.
    pub(crate) pod: &'a Pod,
}

impl Facts for PodAtFrontend<'_> {
    const CODE: Code = Code::new("pod-at-frontend");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::frontend(self.policy, self.place)
    }

    fn message(&self) -> String {
        format!("a selected pod serves at the frontend `{}` itself", self.frontend)
    }

    fn help(&self) -> String {
        format!(
            "pod `{}` is no backend there; redirect another address, or let the pod listen on another port",
            self.pod.reference
        )
    }
}

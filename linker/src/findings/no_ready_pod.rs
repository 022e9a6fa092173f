//! The selector matches pods of a node, and none is ready, or all have finished (R4, R16, L9).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::inventory::Pod;

pub(crate) struct NoReadyPod<'a> {
    pub(crate) policy: &'a Policy,
    /// The selected pods that may still become ready.
    pub(crate) pods: &'a [&'a Pod],
    /// Those that are Succeeded or Failed.
    pub(crate) finished: &'a [&'a Pod],
}

impl Facts for NoReadyPod<'_> {
    const CODE: Code = Code::new("no-ready-pod");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SELECTOR
    }

    fn message(&self) -> String {
        "no selected pod is ready".into()
    }

    fn help(&self) -> String {
        let list = |pods: &[&Pod]| listed(pods.iter().map(|pod| &pod.reference));
        match self.pods {
            [] => format!(
                "the selected pods have finished (phase Succeeded or Failed), and a backend must keep running: \
                 {}",
                list(self.finished)
            ),
            pods => format!("see why with `kubectl describe pod`; selected, not ready: {}", list(pods)),
        }
    }
}

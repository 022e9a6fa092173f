//! The selector matches pods of a node, and none is ready (R4, R16).

use lrpc_schema::image::Policy;

use super::{Facts, field, listed};
use crate::inventory::Pod;

pub(crate) struct NoReadyPod<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) pods: &'a [&'a Pod],
}

impl Facts for NoReadyPod<'_> {
    const CODE: &'static str = "no-ready-pod";

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> String {
        field::SELECTOR.into()
    }

    fn message(&self) -> String {
        "no selected pod is ready".into()
    }

    fn help(&self) -> String {
        let pods = listed(self.pods.iter().map(|pod| &pod.reference));
        format!("see why with `kubectl describe pod`; selected, not ready: {pods}")
    }
}

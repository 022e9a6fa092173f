//! A pod says that it has an address at which no other pod can reach it (R6).

use lrpc_schema::diagnostic::{Code, Field};
use lrpc_schema::image::{PodAddress, Policy};

use super::{Facts, field};
use crate::inventory::Pod;

pub(crate) struct UnreachablePod<'a> {
    pub(crate) policy: &'a Policy,
    /// A ready pod with such an address.
    pub(crate) pod: &'a Pod,
}

impl Facts for UnreachablePod<'_> {
    const CODE: Code = Code::new("unreachable-pod");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SELECTOR
    }

    fn message(&self) -> String {
        "a selected pod has an address at which it cannot be reached".into()
    }

    fn help(&self) -> String {
        let wrong =
            |address| PodAddress::new(address).err().map(|why| format!("`{address}`, {}", why.as_str()));
        let wrong: Vec<_> = self.pod.unreachable.iter().copied().filter_map(wrong).collect();
        format!(
            "pod `{}` has {}; see what its container runtime and network plugin report",
            self.pod.reference,
            wrong.join(", and ")
        )
    }
}

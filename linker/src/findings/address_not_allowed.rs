//! The address of a policy is outside the allow-list of this run (L14).

use lrpc_schema::image::{Matcher, Policy};

use super::{Code, Facts, Field, field};

pub(crate) struct AddressNotAllowed<'a> {
    pub(crate) policy: &'a Policy,
}

impl Facts for AddressNotAllowed<'_> {
    const CODE: Code = Code::new("address-not-allowed");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::ADDRESS
    }

    fn message(&self) -> String {
        match &self.policy.frontend {
            Matcher::Address { ip, .. } => format!("address `{ip}` is outside the allow-list"),
            Matcher::Service { name, .. } => format!("Service `{name}` is outside the allow-list"),
        }
    }

    fn help(&self) -> String {
        "its frontends are not redirected; add a range that holds the address to `--allow-address`, which \
         narrows the image's own list"
            .into()
    }
}

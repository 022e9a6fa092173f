//! What a data path does not carry, as findings about policies: said before an apply meets it.

use std::collections::{BTreeMap, btree_map::Entry};

use lrpc_schema::diagnostic::{Code, Field};
use lrpc_schema::image::{Fallback, Image, Matcher, Policy, PolicyName};

use super::{Carried, DROP_LEFT_OPEN, Gap, LEFT_OUT, Profile};
use crate::findings::{Facts, Finding, field};
use crate::mapset::MapSet;

/// The policies of a node for which `apply` would refuse the image, and those of which it would leave rows out:
/// at most one finding a policy, for the first row that is not carried.
pub fn findings(image: &Image, set: &MapSet, profile: Profile) -> Vec<Finding> {
    let mut told: BTreeMap<&PolicyName, Finding> = BTreeMap::new();
    for row in set.rows() {
        let gap = match (profile.carries(row), row.fallback) {
            (Carried::Whole, _) | (Carried::Partly(_), Fallback::Original) => continue,
            (Carried::Not(gap), _) | (Carried::Partly(gap), Fallback::Drop) => gap,
        };
        let Entry::Vacant(entry) = told.entry(&row.policy) else { continue };
        let Some(policy) = image.policy(&row.policy) else { continue };
        entry.insert(match row.fallback {
            // What holds for every row is told once, in the same words as without an inventory.
            Fallback::Drop => {
                DropLeftOpen { policy, gap: profile.boundary_gap(policy).unwrap_or(gap) }.found()
            }
            Fallback::Original => LeftOut { policy, gap }.found(),
        });
    }
    told.into_values().collect()
}

/// The policies for which `apply` would refuse the image on every node on which they act, whatever runs there.
pub fn refused(policies: &[Policy], profile: Profile) -> impl Iterator<Item = Finding> {
    let found = move |policy| Some(DropLeftOpen { policy, gap: profile.boundary_gap(policy)? }.found());
    policies.iter().filter_map(found)
}

/// The field that asks for what is missing.
fn cause(policy: &Policy, gap: Gap) -> Field {
    match (gap, &policy.frontend) {
        (Gap::Clients, _) => field::CLIENTS,
        (Gap::Skip, _) => field::SKIP,
        (Gap::Mode | Gap::Ipv6 | Gap::UnconnectedUdp, Matcher::Address { .. }) => field::ADDRESS,
        (Gap::Mode | Gap::Ipv6 | Gap::UnconnectedUdp, Matcher::Service { .. }) => field::SERVICE,
    }
}

struct DropLeftOpen<'a> {
    policy: &'a Policy,
    gap: Gap,
}

impl Facts for DropLeftOpen<'_> {
    const CODE: Code = DROP_LEFT_OPEN.code;

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::FALLBACK
    }

    fn message(&self) -> String {
        format!("`apply` refuses this `fallback: drop`: this version does not carry {}", self.gap)
    }

    fn help(&self) -> String {
        let field = match self.gap {
            Gap::Clients | Gap::Skip => format!("leave `{}` out", cause(self.policy, self.gap)),
            Gap::Mode | Gap::Ipv6 | Gap::UnconnectedUdp => "redirect IPv4 addresses and TCP only".to_owned(),
        };
        format!(
            "{field}, or say `lrpc.dev/fallback: original`; until then no policy of the set can be applied"
        )
    }

    fn related(&self) -> Vec<crate::findings::Related> {
        vec![crate::findings::at(self.policy, cause(self.policy, self.gap), "not carried")]
    }
}

struct LeftOut<'a> {
    policy: &'a Policy,
    gap: Gap,
}

impl Facts for LeftOut<'_> {
    const CODE: Code = LEFT_OUT.code;

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        cause(self.policy, self.gap)
    }

    fn message(&self) -> String {
        format!("`apply` leaves frontends of this policy out: this version does not redirect {}", self.gap)
    }

    fn help(&self) -> String {
        "their traffic goes where it would have gone; `lrpc link` shows `left_out` for each of them".into()
    }
}

//! Whom a frontend concerns: its clients (L6), but for the backends' own traffic (L8), in that order (L18).
//!
//! A pod is known by its cgroup, or by not being in the node's own network namespace: nothing that a process could
//! choose. Helpers tell the cgroup of the task that connects or sends, which for a pod is the container's, so the
//! levels above it are asked at which the generation's pods sit.

use lrpc_schema::records::{ClientKind, Fate, FrontendValue, Levels, MemberKey, Meta, SetId, Slot};

use crate::kernel::Kernel;

/// Whether a frontend's entry holds for who connects or sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// It does.
    Concerned,
    /// It does not, and that is all that becomes of it.
    LeftAlone(Fate),
    /// The entry, or what it needs, is none that this program knows.
    Unknown,
}

#[inline(always)]
pub(crate) fn audience<K: Kernel>(kernel: &K, slot: Slot, value: &FrontendValue) -> Audience {
    if value.is_for_all() {
        return Audience::Concerned;
    }
    let (Some(kind), Some(meta)) = (value.client_kind(), kernel.meta(slot)) else {
        return Audience::Unknown;
    };
    if !is_client(kernel, slot, meta, kind, value.clients()) {
        return Audience::LeftAlone(Fate::NoClient);
    }
    match value.exempt() {
        Some(set) if is_below(kernel, slot, meta.pods(), set) => Audience::LeftAlone(Fate::Own),
        Some(_) | None => Audience::Concerned,
    }
}

#[inline(always)]
fn is_client<K: Kernel>(kernel: &K, slot: Slot, meta: &Meta, kind: ClientKind, set: SetId) -> bool {
    if matches!(kind, ClientKind::OtherNetns) {
        let node = match meta.node_netns() {
            0 => kernel.initial_netns(),
            cookie => cookie,
        };
        return kernel.netns() != node;
    }
    // Each of the two is asked at one place, so that the program has it once.
    if matches!(kind, ClientKind::Pods | ClientKind::OtherPods)
        && !is_below(kernel, slot, meta.trees(), SetId::TREES)
    {
        return false;
    }
    match kind {
        ClientKind::All | ClientKind::OtherNetns | ClientKind::Pods => true,
        ClientKind::Members | ClientKind::OtherPods => {
            is_below(kernel, slot, meta.pods(), set) == matches!(kind, ClientKind::Members)
        }
    }
}

/// Whether the task's cgroup, or one above it at one of the levels, is in a set.
///
/// Not a loop: kernels up to 6.12, at least, follow, without CAP_PERFMON, also the side of a branch that is not taken, and a
/// counter that has left its loop that way never ends it.
#[inline(always)]
fn is_below<K: Kernel>(kernel: &K, slot: Slot, levels: Levels, set: SetId) -> bool {
    let is_below = |at| is_below_at(kernel, slot, levels.at(at), set);
    is_below(0) || is_below(1) || is_below(2) || is_below(3)
}

const _: () = assert!(Meta::LEVELS == 4);

/// The same, at one level; none is 0.
#[inline(always)]
fn is_below_at<K: Kernel>(kernel: &K, slot: Slot, level: u64, set: SetId) -> bool {
    level != 0 && kernel.is_member(slot, MemberKey::new(kernel.ancestor(level), set))
}

#[cfg(test)]
mod tests {
    use lrpc_schema::protocol::Protocol::{Tcp, Udp};
    use lrpc_schema::records::{Audience, ClientKind, Fate, FrontendValue, SetId};

    use crate::connect::{Refusal, Verdict};
    use crate::fake::{Fake, backend, destination};

    const FRONTEND: &str = "169.254.169.254:80";
    const BACKEND: &str = "10.244.1.7:8181";
    const SET: SetId = SetId::new(7);
    const OWN: SetId = SetId::new(8);
    /// A cgroup at level 3: a pod.
    const POD: u64 = 303;

    /// A node with a frontend for some.
    fn node(kind: ClientKind, exempt: Option<SetId>) -> Fake {
        let audience = Audience { kind, clients: SET, exempt };
        let value = FrontendValue::redirect(1, 0, backend(BACKEND)).concerning(audience);
        // Pods are at levels 3 and 2, a kubelet's tree at level 1.
        let mut fake = Fake::new().with(FRONTEND, Tcp, value).with(FRONTEND, Udp, value);
        fake.with_levels(&[3, 2], &[1]);
        fake.with_member(SetId::TREES, 101);
        fake
    }

    fn is_redirected(fake: &Fake) -> bool {
        match fake.connect(Tcp, FRONTEND) {
            Verdict::Redirect(_) => true,
            Verdict::Pass => false,
            Verdict::Refuse(refusal) => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn l6_all_are_clients_whoever_they_are() {
        let mut fake = node(ClientKind::All, None);
        fake.ancestors = [1, 0, 0, 0];
        assert!(is_redirected(&fake));
    }

    #[test]
    fn l6_pods_are_who_is_in_another_network_namespace() {
        for (node_netns, initial, own, redirected) in
            [(0, 1, 2, true), (0, 1, 1, false), (5, 1, 5, false), (5, 1, 1, true)]
        {
            let mut fake = node(ClientKind::OtherNetns, None);
            fake.with_node_netns(node_netns);
            (fake.initial_netns, fake.netns) = (initial, own);
            assert_eq!(is_redirected(&fake), redirected, "{node_netns} {initial} {own}");
        }
    }

    #[test]
    fn l6_all_pods_are_who_is_below_a_kubelets_tree() {
        for (ancestors, redirected) in [
            ([1, 101, 202, POD], true),
            ([1, 101, 0, 0], true),
            ([1, 102, 202, POD], false),
            ([1, 0, 0, 0], false),
        ] {
            let mut fake = node(ClientKind::Pods, None);
            fake.ancestors = ancestors;
            assert_eq!(is_redirected(&fake), redirected, "{ancestors:?}");
        }
    }

    #[test]
    fn l6_a_list_names_pods_at_any_of_their_levels() {
        for (member, redirected) in [(POD, true), (202, true), (101, false), (304, false)] {
            let mut fake = node(ClientKind::Members, None);
            fake.ancestors = [1, 101, 202, POD];
            fake.with_member(SET, member);
            assert_eq!(is_redirected(&fake), redirected, "{member}");
        }
    }

    #[test]
    fn l6_a_member_of_another_set_is_none_of_this() {
        let mut fake = node(ClientKind::Members, None);
        fake.ancestors = [1, 101, 202, POD];
        fake.with_member(OWN, POD);
        assert!(!is_redirected(&fake));
    }

    #[test]
    fn l6_a_closed_list_takes_pods_that_it_does_not_name() {
        for (ancestors, redirected) in
            [([1, 101, 202, POD], false), ([1, 101, 202, 304], true), ([1, 102, 202, 304], false)]
        {
            let mut fake = node(ClientKind::OtherPods, None);
            fake.with_member(SET, POD);
            fake.ancestors = ancestors;
            assert_eq!(is_redirected(&fake), redirected, "{ancestors:?}");
        }
    }

    #[test]
    fn l8_a_backends_own_traffic_is_left_alone_and_its_neighbours_is_not() {
        for protocol in [Tcp, Udp] {
            let of = |pod| {
                let mut fake = node(ClientKind::All, Some(OWN));
                fake.with_member(OWN, POD);
                fake.ancestors = [1, 101, 202, pod];
                fake
            };
            assert_eq!(of(POD).connect(protocol, FRONTEND), Verdict::Pass);
            assert_eq!(of(POD).sendmsg(FRONTEND), Verdict::Pass);
            assert_eq!(of(304).connect(protocol, FRONTEND), Verdict::Redirect(destination(BACKEND)));
        }
    }

    #[test]
    fn l18_clients_come_before_own_traffic_and_both_before_drop() {
        let audience = Audience { kind: ClientKind::Pods, clients: SET, exempt: Some(OWN) };
        let fate = |ancestors| {
            let mut fake = Fake::new().with(FRONTEND, Tcp, FrontendValue::drop().concerning(audience));
            fake.with_levels(&[3], &[1]);
            fake.with_member(SetId::TREES, 101);
            fake.with_member(OWN, POD);
            fake.ancestors = ancestors;
            let verdict = fake.connect(Tcp, FRONTEND);
            (verdict, fake.fates.borrow_mut().pop())
        };
        assert_eq!(fate([1, 102, 202, POD]), (Verdict::Pass, Some(Fate::NoClient)));
        assert_eq!(fate([1, 101, 202, POD]), (Verdict::Pass, Some(Fate::Own)));
        assert_eq!(fate([1, 101, 202, 304]), (Verdict::Refuse(Refusal::Dropped), Some(Fate::Dropped)));
    }

    #[test]
    fn who_cannot_be_told_apart_is_refused() {
        let mut fake = node(ClientKind::Pods, None);
        fake.metas.clear();
        assert_eq!(fake.connect(Tcp, FRONTEND), Verdict::Refuse(Refusal::Unknown));
        let mut bytes = FrontendValue::redirect(1, 0, backend(BACKEND)).to_bytes();
        bytes[1] = 9;
        let fake = Fake::new().with(FRONTEND, Tcp, FrontendValue::from_bytes(&bytes));
        assert_eq!(fake.connect(Tcp, FRONTEND), Verdict::Refuse(Refusal::Unknown));
    }
}

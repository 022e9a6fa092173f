//! Which connections a change of the tables concerns (L10).

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::{
    Action, Backend, ClientKind, FrontendKey, FrontendValue, MemberKey, Meta, Peer, SetId, Table,
};

use crate::kernel::sys::netns::Netns;
use crate::tables::{Packed, entries_of};

/// Where connections to a frontend go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// Where they would have gone.
    Straight,
    /// To one of these.
    To(Vec<Backend>),
    /// Nowhere.
    Refused,
}

/// A connection that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) protocol: Protocol,
    /// Where its packets go.
    pub(crate) remote: SocketAddr,
    /// What its socket remembers.
    pub(crate) peer: Option<Peer>,
    /// The cgroup that its socket was made in, and those above it.
    pub(crate) cgroups: Vec<u64>,
    /// Its network namespace.
    pub(crate) netns: Netns,
}

/// A change of the tables.
///
/// A connection is concerned where connections like it, to the frontend that its program asked for, are treated
/// otherwise than before, and a new one could not go the way that this one went. What a change leaves as it is
/// concerns no connection, whatever an earlier change has made of it.
#[derive(Debug)]
pub(crate) struct Concern {
    old: Decisions,
    new: Decisions,
}

impl Concern {
    /// What is different between two sets of tables.
    pub(crate) fn between(old: &[(Table, Packed)], new: &[(Table, Packed)]) -> Self {
        Self { old: Decisions::of(old), new: Decisions::of(new) }
    }

    /// Whether it concerns no connection.
    pub(crate) fn is_none(&self) -> bool {
        self.old == self.new
    }

    /// Whether a connection is concerned; `None` where it cannot be told.
    pub(crate) fn holds(&self, connection: &Connection) -> Option<bool> {
        let remote = connection.remote;
        // What a socket remembers says something about the connection that it speaks of, and no other.
        let to = Backend::new(remote.ip(), remote.port());
        let redirected = connection.peer.filter(|peer| peer.backend() == to);
        let frontend = match redirected {
            Some(peer) => peer.frontend(),
            None => FrontendKey::new(remote.ip(), remote.port(), connection.protocol),
        };
        let old = self.old.way(&frontend, connection)?;
        let new = self.new.way(&frontend, connection)?;
        let may_stay = match (&new, redirected) {
            (Way::Straight, None) => true,
            (Way::To(backends), Some(_)) => backends.contains(&to),
            (Way::Straight | Way::Refused, _) | (Way::To(_), None) => false,
        };
        Some(!may_stay && old != new)
    }
}

/// What the programs decide by.
#[derive(Debug, PartialEq, Eq)]
struct Decisions {
    frontends: HashMap<FrontendKey, FrontendValue>,
    backends: Vec<Backend>,
    members: HashSet<MemberKey>,
    meta: Meta,
}

impl Decisions {
    fn of(tables: &[(Table, Packed)]) -> Self {
        let entries = |table| entries_of(tables, table).into_iter().flat_map(Packed::iter);
        let frontend = |(key, value): (&[u8], &[u8])| {
            let (key, value) = (key.try_into().ok()?, value.try_into().ok()?);
            Some((FrontendKey::from_bytes(key), FrontendValue::from_bytes(value)))
        };
        let backend = |(_, value): (&[u8], &[u8])| value.try_into().ok().map(Backend::from_bytes);
        let member = |(key, _): (&[u8], &[u8])| key.try_into().ok().map(MemberKey::from_bytes);
        // The loader's own part of the value follows the programs'.
        let meta = |(_, value): (&[u8], &[u8])| value.first_chunk().map(Meta::from_bytes);
        Self {
            frontends: entries(Table::Frontends).filter_map(frontend).collect(),
            backends: entries(Table::Backends).filter_map(backend).collect(),
            members: entries(Table::Members).filter_map(member).collect(),
            meta: entries(Table::Meta).find_map(meta).unwrap_or_default(),
        }
    }

    /// Where connections like one go that ask for a frontend; `None` where it cannot be told. In which order
    /// backends are listed says nothing.
    fn way(&self, frontend: &FrontendKey, like: &Connection) -> Option<Way> {
        let Some(value) = self.frontends.get(frontend) else { return Some(Way::Straight) };
        let Some(kind) = value.client_kind() else { return Some(Way::Refused) };
        // L18: clients (L6) before the backends' own traffic (L8).
        let is_exempt = value.exempt().is_some_and(|set| self.is_member(set, like));
        if !self.is_client(kind, value.clients(), like)? || is_exempt {
            return Some(Way::Straight);
        }
        Some(match (value.action(), value.count()) {
            (Some(Action::AuditRedirect | Action::AuditDrop), _) => Way::Straight,
            (Some(Action::Redirect), 0 | 1) => Way::To(vec![value.backend()]),
            (Some(Action::Redirect), count) => {
                let run = self.backends.iter().skip(value.first() as usize).take(count as usize);
                let mut run: Vec<_> = run.copied().collect();
                run.sort_unstable();
                Way::To(run)
            }
            (Some(Action::Drop) | None, _) => Way::Refused,
        })
    }

    /// Whether who made a connection is a client of a kind (L6); `None` where it cannot be told.
    fn is_client(&self, kind: ClientKind, set: SetId, like: &Connection) -> Option<bool> {
        let is_pod = || self.is_member(SetId::TREES, like);
        Some(match kind {
            ClientKind::All => true,
            ClientKind::OtherNetns => match self.meta.node_netns() {
                0 => !like.netns.is_initial?,
                node => like.netns.cookie? != node,
            },
            ClientKind::Pods => is_pod(),
            ClientKind::Members => self.is_member(set, like),
            ClientKind::OtherPods => is_pod() && !self.is_member(set, like),
        })
    }

    fn is_member(&self, set: SetId, like: &Connection) -> bool {
        like.cgroups.iter().any(|cgroup| self.members.contains(&MemberKey::new(*cgroup, set)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use lrpc_schema::records::{Audience, Levels};

    use super::*;
    use crate::tables::Tables;

    const FRONTEND: &str = "169.254.169.254";
    /// The cgroup of a pod, and the kubelet's tree above it.
    const POD: u64 = 303;
    const TREE: u64 = 101;
    /// The pod's network namespace, and the node's.
    const OWN: Netns = Netns { cookie: Some(77), is_initial: Some(false) };
    const NODE: Netns = Netns { cookie: Some(3), is_initial: Some(true) };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn backend(last: u8) -> Backend {
        Backend::new([10, 0, 0, last].into(), 8080)
    }

    fn frontend(port: u16) -> FrontendKey {
        FrontendKey::new(ip(FRONTEND), port, Protocol::Tcp)
    }

    impl Concern {
        /// Whether a connection is concerned, which can be told.
        #[track_caller]
        fn concerns(&self, connection: &Connection) -> bool {
            self.holds(connection).unwrap()
        }
    }

    /// Tables in which these ports of the frontend go to these backends; to none means that they are refused.
    fn tables(rows: &[(u16, &[u8])]) -> [(Table, Packed); Table::ALL.len()] {
        let mut tables = Tables::default();
        for (port, backends) in rows {
            let first = u32::try_from(tables.backends.len()).unwrap();
            let value = match backends {
                [] => FrontendValue::drop(),
                [one] => FrontendValue::redirect(1, 0, backend(*one)),
                [one, ..] => {
                    tables.backends.extend(backends.iter().map(|last| backend(*last)));
                    FrontendValue::redirect(u32::try_from(backends.len()).unwrap(), first, backend(*one))
                }
            };
            tables.frontends.push((frontend(*port), value));
        }
        tables.pack()
    }

    fn change(old: &[(u16, &[u8])], new: &[(u16, &[u8])]) -> Concern {
        Concern::between(&tables(old), &tables(new))
    }

    /// A connection that was redirected from a port of the frontend to a backend.
    fn redirected(port: u16, last: u8) -> Connection {
        let peer = Some(Peer::new(frontend(port), backend(last)));
        let remote = SocketAddr::new(backend(last).address(), 8080);
        Connection { remote, peer, ..straight(FRONTEND, port) }
    }

    /// A connection that no program of ours has touched.
    fn straight(address: &str, port: u16) -> Connection {
        let remote = SocketAddr::new(ip(address), port);
        Connection { protocol: Protocol::Tcp, remote, peer: None, cgroups: vec![POD, TREE], netns: OWN }
    }

    #[test]
    fn connections_whose_backend_is_gone_are_concerned() {
        let moved = change(&[(80, &[1])], &[(80, &[2])]);
        assert!(moved.concerns(&redirected(80, 1)));
        let fewer = change(&[(80, &[1, 2, 3])], &[(80, &[2, 3])]);
        assert!(fewer.concerns(&redirected(80, 1)));
        let removed = change(&[(80, &[1])], &[]);
        assert!(removed.concerns(&redirected(80, 1)));
        let dropped = change(&[(80, &[1])], &[(80, &[])]);
        assert!(dropped.concerns(&redirected(80, 1)));
    }

    #[test]
    fn connections_whose_backend_stays_are_not() {
        for new in [&[1, 9][..], &[9, 1], &[1]] {
            let change = change(&[(80, &[1, 2])], &[(80, new)]);
            assert!(!change.concerns(&redirected(80, 1)), "{new:?}");
        }
    }

    #[test]
    fn connections_that_went_straight_to_a_new_frontend_are_concerned() {
        for new in [&[1][..], &[]] {
            let added = change(&[], &[(80, new)]);
            assert!(added.concerns(&straight(FRONTEND, 80)));
            assert!(added.concerns(&straight("::ffff:169.254.169.254", 80)), "of an IPv6 socket");
            let is_udp = Connection { protocol: Protocol::Udp, ..straight(FRONTEND, 80) };
            assert!(!added.concerns(&is_udp));
            assert!(!added.concerns(&straight(FRONTEND, 81)));
        }
        let changed = change(&[(80, &[1])], &[(80, &[2])]);
        assert!(changed.concerns(&straight(FRONTEND, 80)), "it was there before the first change");
    }

    #[test]
    fn a_connection_that_goes_straight_may_stay_where_nothing_is_redirected_any_more() {
        assert!(!change(&[(80, &[1])], &[]).concerns(&straight(FRONTEND, 80)));
    }

    #[test]
    fn what_a_change_leaves_alone_concerns_nobody() {
        let old: &[(u16, &[u8])] = &[(80, &[1]), (81, &[1, 2]), (82, &[])];
        let new: &[(u16, &[u8])] = &[(80, &[3]), (81, &[2, 1]), (82, &[])];
        let change = change(old, new);
        // An earlier change took backend 9 from it.
        assert!(!change.concerns(&redirected(81, 9)));
        assert!(!change.concerns(&straight(FRONTEND, 82)));
        assert!(!change.concerns(&redirected(83, 1)));
        assert!(!change.concerns(&straight("10.0.0.1", 8080)), "straight to the backend");
        assert!(change.concerns(&redirected(80, 1)), "the control");
        assert!(Concern::between(&tables(old), &tables(old)).is_none());
    }

    #[test]
    fn a_memory_of_another_connection_says_nothing() {
        let stale = Connection { remote: SocketAddr::new(ip("10.0.0.77"), 8080), ..redirected(80, 1) };
        assert!(!change(&[(80, &[1])], &[(80, &[2])]).concerns(&stale));
        // It says nothing about where the connection goes now, either.
        let elsewhere = Connection { remote: SocketAddr::new(ip(FRONTEND), 80), ..redirected(81, 1) };
        assert!(change(&[(80, &[1])], &[(80, &[2])]).concerns(&elsewhere));
    }

    /// Tables in which port 80 of the frontend goes to backend 1, for some.
    fn tables_for(audience: Audience, members: &[(u64, SetId)]) -> [(Table, Packed); Table::ALL.len()] {
        let value = FrontendValue::redirect(1, 0, backend(1)).concerning(audience);
        let members = members.iter().map(|(cgroup, set)| MemberKey::new(*cgroup, *set)).collect();
        Tables { frontends: vec![(frontend(80), value)], members, ..Tables::default() }.pack()
    }

    const SET: SetId = SetId::new(7);

    #[test]
    fn l6_connections_of_no_client_are_left_alone() {
        let node = |kind| (kind, Connection { cgroups: vec![5], netns: NODE, ..straight(FRONTEND, 80) });
        let pod = |kind| (kind, straight(FRONTEND, 80));
        for ((kind, connection), concerned) in [
            (node(ClientKind::All), true),
            (node(ClientKind::OtherNetns), false),
            (pod(ClientKind::OtherNetns), true),
            (node(ClientKind::Pods), false),
            (pod(ClientKind::Pods), true),
            (node(ClientKind::Members), false),
            (pod(ClientKind::Members), true),
            (node(ClientKind::OtherPods), false),
            (pod(ClientKind::OtherPods), false),
        ] {
            let audience = Audience { kind, clients: SET, exempt: None };
            let new = tables_for(audience, &[(TREE, SetId::TREES), (POD, SET)]);
            let change = Concern::between(&tables(&[]), &new);
            assert_eq!(change.concerns(&connection), concerned, "{kind:?} {connection:?}");
        }
        let audience = Audience { kind: ClientKind::OtherNetns, ..Audience::default() };
        let change = Concern::between(&tables(&[]), &tables_for(audience, &[]));
        let unknown = Connection { netns: Netns::default(), ..straight(FRONTEND, 80) };
        assert_eq!(change.holds(&unknown), None);
    }

    #[test]
    fn l6_a_node_that_is_a_container_is_known_by_its_cookie() {
        let audience = Audience { kind: ClientKind::OtherNetns, ..Audience::default() };
        let value = FrontendValue::redirect(1, 0, backend(1)).concerning(audience);
        let meta = Meta::new(Levels::default(), Levels::default(), 77);
        let new = Tables { frontends: vec![(frontend(80), value)], meta, ..Tables::default() }.pack();
        let change = Concern::between(&tables(&[]), &new);
        for (netns, concerned) in
            [(OWN, Some(false)), (NODE, Some(true)), (Netns { cookie: None, ..NODE }, None)]
        {
            assert_eq!(change.holds(&Connection { netns, ..straight(FRONTEND, 80) }), concerned, "{netns:?}");
        }
    }

    #[test]
    fn l6_connections_of_who_is_no_client_any_more_are_concerned() {
        let audience = Audience { kind: ClientKind::Members, clients: SET, exempt: None };
        let old = tables_for(audience, &[(POD, SET)]);
        assert!(Concern::between(&old, &tables_for(audience, &[])).concerns(&redirected(80, 1)));
        // The same pod in a set of another number is what it was.
        let other = Audience { clients: SetId::new(9), ..audience };
        let renamed = tables_for(other, &[(POD, SetId::new(9)), (404, SetId::new(9))]);
        assert!(!Concern::between(&old, &renamed).concerns(&redirected(80, 1)));
    }

    #[test]
    fn l8_the_backends_own_connections_are_left_alone() {
        let audience = Audience { exempt: Some(SET), ..Audience::default() };
        let change = Concern::between(&tables(&[]), &tables_for(audience, &[(POD, SET)]));
        assert!(!change.concerns(&straight(FRONTEND, 80)));
        assert!(
            change.concerns(&Connection { cgroups: vec![404, TREE], ..straight(FRONTEND, 80) }),
            "another pod"
        );
    }

    #[test]
    fn an_audit_leaves_connections_that_go_straight_alone() {
        let value = FrontendValue::redirect(1, 0, backend(1)).audited();
        let audit = Tables { frontends: vec![(frontend(80), value)], ..Tables::default() }.pack();
        assert!(!Concern::between(&tables(&[]), &audit).concerns(&straight(FRONTEND, 80)));
    }
}

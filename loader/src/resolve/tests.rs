use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, PolicyName, Port, Protocol, Selector};
use lrpc_schema::records::{Action, ClientKind, Levels, SetId};

use super::*;
use crate::probe::is_test_row;
use lrpc_linker::mapset::{Backend as Target, PodRef, Reason};

fn row(frontend: &str, backends: &[&str]) -> Row {
    let (address, protocol) = frontend.split_once('/').unwrap();
    let address: std::net::SocketAddr = address.parse().unwrap();
    let frontend = Frontend {
        address: address.ip(),
        port: Port::new(address.port()).unwrap(),
        protocol: protocol.parse().unwrap(),
    };
    let pod = PodRef { namespace: "default".into(), name: "agent".into(), uid: Some("u".into()) };
    let backends: Vec<_> = backends
        .iter()
        .map(|to| to.parse::<std::net::SocketAddr>().unwrap())
        .map(|to| Target { address: to.ip(), port: Port::new(to.port()).unwrap(), pods: vec![pod.clone()] })
        .collect();
    let outcome = match backends.is_empty() {
        true => Outcome::Original(Reason::NoReadyBackend),
        false => Outcome::Redirect(backends),
    };
    Row {
        frontend,
        policy: PolicyName { namespace: "default".into(), name: frontend.port.to_string().into() },
        service: None,
        outcome,
        skip_flag: false,
        skip: Arc::default(),
        fallback: Fallback::Original,
        clients: Clients::All,
        client_pods: Arc::default(),
    }
}

/// The frontend table without the test rows.
fn frontends(resolved: &Resolved) -> Vec<(FrontendKey, FrontendValue)> {
    let rows = resolved.tables.frontends.iter().copied();
    rows.filter(|(key, value)| !is_test_row(key, value)).collect()
}

fn resolved(rows: Vec<Row>) -> Resolved {
    resolve(&rows.into_iter().collect(), Conduct::Act, &Identities::default()).unwrap()
}

#[test]
fn one_backend_is_inlined_and_several_are_a_run() {
    let one = resolved(vec![row("169.254.169.254:8080/TCP", &["10.0.0.1:80"])]);
    assert_eq!(one.tables.backends, []);
    let (key, value) = frontends(&one)[0];
    assert_eq!((key.port(), key.protocol()), (8080, Some(Protocol::Tcp)));
    assert_eq!((value.action(), value.count()), (Some(Action::Redirect), 1));
    assert_eq!((value.backend().address(), value.backend().port()), ([10, 0, 0, 1].into(), 80));

    let several = resolved(vec![
        row("169.254.169.254:1/TCP", &["10.0.0.1:80", "10.0.0.2:80"]),
        row("169.254.169.254:2/TCP", &["10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"]),
    ]);
    assert_eq!((several.frontends, several.backends), (2, 4), "a backend of two frontends counts once");
    for (_, value) in frontends(&several) {
        let run = &several.tables.backends[value.first() as usize..][..value.count() as usize];
        assert_eq!(run[0], value.backend());
    }
    assert_eq!(several.tables.backends.len(), 5);
}

#[test]
fn an_original_row_has_no_entry_and_a_drop_row_has_no_backend() {
    let original = row("169.254.169.254:1/TCP", &[]);
    let mut drop = row("169.254.169.254:2/TCP", &[]);
    (drop.outcome, drop.fallback) = (Outcome::Drop(Reason::NoReadyBackend), Fallback::Drop);
    let resolved = resolved(vec![original, drop]);
    assert_eq!((resolved.frontends, resolved.backends), (1, 0));
    assert_eq!(frontends(&resolved)[0].1.action(), Some(Action::Drop));
}

/// A node with pods, a kubelet's tree, and the levels that systemd's driver gives them.
fn node(pods: &[(&str, u64, usize)]) -> Identities {
    let place = |cgroup, level| Place { cgroup, level: Some(level) };
    let pods = pods.iter().map(|(uid, cgroup, level)| ((*uid).to_owned(), vec![place(*cgroup, *level)]));
    Identities { pods: pods.collect(), trees: vec![place(100, 1)], node_netns: None }
}

fn pod(uid: &str) -> PodRef {
    PodRef { namespace: "default".into(), name: uid.into(), uid: Some(uid.into()) }
}

fn members(resolved: &Resolved) -> Vec<(u64, u32)> {
    resolved.tables.members.iter().map(|key| (key.cgroup(), key.set().get())).collect()
}

#[test]
fn l6_each_kind_of_clients_is_known_by_what_no_process_chooses() {
    let listed: Arc<[PodRef]> = [pod("one"), pod("two"), pod("not-started")].into();
    let selector = || Clients::Selector(Selector::new(Vec::new()));
    let all = [
        (Clients::All, Fallback::Original, ClientKind::All, vec![]),
        (Clients::Pods, Fallback::Original, ClientKind::OtherNetns, vec![]),
        (Clients::AllPods, Fallback::Original, ClientKind::Pods, vec![(100, 0)]),
        (Clients::Namespace, Fallback::Original, ClientKind::Members, vec![(1, 1), (2, 1)]),
        (selector(), Fallback::Original, ClientKind::Members, vec![(1, 1), (2, 1)]),
        (selector(), Fallback::Drop, ClientKind::OtherPods, vec![(1, 1), (2, 1), (100, 0)]),
    ];
    for (clients, fallback, kind, expected) in all {
        let mut row = row("169.254.169.254:80/TCP", &["10.0.0.1:80"]);
        (row.clients, row.fallback) = (clients, fallback);
        if matches!(row.clients, Clients::Namespace | Clients::Selector(_)) {
            row.client_pods = listed.clone();
        }
        let set = [row].into_iter().collect();
        let node = node(&[("one", 1, 3), ("two", 2, 2)]);
        let resolved = resolve(&set, Conduct::Act, &node).unwrap();
        let value = frontends(&resolved)[0].1;
        assert_eq!((value.client_kind(), members(&resolved)), (Some(kind), expected));
        let levels = |levels: Levels| [levels.at(0), levels.at(1)];
        let meta = resolved.tables.meta;
        assert_eq!(levels(meta.pods()), if value.clients() == SetId::TREES { [0, 0] } else { [3, 2] });
        assert_eq!(
            levels(meta.trees())[0],
            u64::from(matches!(kind, ClientKind::Pods | ClientKind::OtherPods))
        );
    }
}

#[test]
fn l8_the_pods_of_a_policy_are_one_set_however_many_rows_it_has() {
    let exempt: Arc<[PodRef]> = [pod("u"), pod("starting")].into();
    let rows = [1, 2].map(|port| {
        let mut row = row(&format!("169.254.169.254:{port}/UDP"), &["10.0.0.1:80"]);
        (row.skip_flag, row.skip) = (true, exempt.clone());
        row
    });
    let set = rows.into_iter().collect();
    let resolved = resolve(&set, Conduct::Act, &node(&[("u", 7, 3)])).unwrap();
    assert_eq!(members(&resolved), [(7, 1)]);
    for (_, value) in frontends(&resolved) {
        assert_eq!(value.exempt(), Some(SetId::new(1)));
    }
}

#[test]
fn l8_a_ready_backend_without_a_cgroup_refuses_the_whole_set() {
    let mut exempt = row("169.254.169.254:1/TCP", &["10.0.0.1:80"]);
    exempt.skip_flag = true;
    exempt.skip = [exempt.backends()[0].pods[0].clone()].into();
    let set = [exempt, row("169.254.169.254:2/TCP", &["10.0.0.1:80"])].into_iter().collect();
    let refused = resolve(&set, Conduct::Act, &node(&[("other", 7, 3)])).unwrap_err();
    assert!(matches!(refused, Unidentified::Backend { ref pod, .. } if pod == "default/agent"), "{refused}");
}

#[test]
fn who_cannot_be_told_apart_is_said() {
    let with = |clients| {
        let mut row = row("169.254.169.254:1/TCP", &["10.0.0.1:80"]);
        row.clients = clients;
        row.client_pods = [pod("one")].into();
        [row].into_iter().collect::<MapSet>()
    };
    let refused = |clients, node: &Identities| resolve(&with(clients), Conduct::Act, node).unwrap_err();
    let treeless = Identities::default();
    assert!(matches!(refused(Clients::AllPods, &treeless), Unidentified::NoTree { .. }));
    let mut rootless = node(&[("one", 1, 3)]);
    rootless.trees[0].level = None;
    assert!(matches!(refused(Clients::AllPods, &rootless), Unidentified::NoRoot { .. }));
    let mut deep = node(&[]);
    deep.pods
        .insert("one".to_owned(), (1..10).map(|level| Place { cgroup: 1, level: Some(level) }).collect());
    assert!(matches!(refused(Clients::Namespace, &deep), Unidentified::TooManyLevels { .. }));
}

#[test]
fn an_audit_has_the_same_rows_and_touches_nothing() {
    let mut drop = row("169.254.169.254:2/TCP", &[]);
    (drop.outcome, drop.fallback) = (Outcome::Drop(Reason::NoReadyBackend), Fallback::Drop);
    let set: MapSet = [row("169.254.169.254:1/TCP", &["10.0.0.1:80"]), drop].into_iter().collect();
    let resolved = resolve(&set, Conduct::Audit, &Identities::default()).unwrap();
    let actions: Vec<_> = frontends(&resolved).iter().map(|(_, value)| value.action()).collect();
    assert_eq!(actions, [Some(Action::AuditRedirect), Some(Action::AuditDrop)]);
    assert_ne!(resolved.digest, resolve(&set, Conduct::Act, &Identities::default()).unwrap().digest);
}

#[test]
fn equal_rows_give_equal_bytes_whatever_policy_they_come_from() {
    let one = row("169.254.169.254:1/TCP", &["10.0.0.1:80"]);
    let mut other = one.clone();
    other.policy.name = "renamed".into();
    assert_eq!(resolved(vec![one.clone()]).digest, resolved(vec![other]).digest);
    other = row("169.254.169.254:1/TCP", &["10.0.0.1:81"]);
    assert_ne!(resolved(vec![one]).digest, resolved(vec![other]).digest);
}

#[test]
fn every_set_has_test_rows_which_no_count_counts_and_a_policy_takes_the_place_of() {
    let tests = Family::ALL.map(Family::row);
    let empty = resolved(vec![]);
    assert_eq!((empty.frontends, empty.backends), (0, 0));
    assert_eq!(empty.tables.frontends, tests);
    let audit = resolve(&MapSet::default(), Conduct::Audit, &Identities::default()).unwrap();
    assert_eq!(audit.tables.frontends, tests, "they answer whatever becomes of others");
    let own =
        resolved(vec![row("192.0.0.8:1/UDP", &["10.0.0.1:80"]), row("192.0.0.8:1/TCP", &["10.0.0.1:80"])]);
    assert_eq!((own.frontends, own.tables.frontends.len()), (2, 3));
    assert!(own.tables.frontends.contains(&tests[1]) && frontends(&own).len() == 2);
}

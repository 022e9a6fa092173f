use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, PolicyName, Port, Protocol};

use super::*;

fn pod(name: &str, uid: Option<&str>) -> PodRef {
    PodRef { namespace: "default".into(), name: name.into(), uid: uid.map(Into::into) }
}

fn row(address: &str, port: u16, protocol: Protocol) -> Row {
    Row {
        frontend: Frontend { address: address.parse().unwrap(), port: Port::new(port).unwrap(), protocol },
        policy: PolicyName { namespace: "default".into(), name: "p".into() },
        service: None,
        outcome: Outcome::Redirect(vec![Backend {
            address: "10.0.0.1".parse().unwrap(),
            port: Port::new(80).unwrap(),
            pods: vec![pod("a", Some("uid-a")), pod("b", Some("uid-b"))],
        }]),
        skip_flag: false,
        skip: Arc::new([]),
        fallback: Fallback::Original,
        clients: Clients::All,
        client_pods: Arc::new([]),
    }
}

#[test]
fn rows_are_sorted_by_number_and_each_frontend_has_one() {
    let mut second = row("9.0.0.1", 53, Protocol::Tcp);
    second.policy.name = "q".into();
    let set: MapSet = [
        row("::1", 53, Protocol::Tcp),
        row("10.0.0.1", 53, Protocol::Tcp),
        row("9.0.0.1", 53, Protocol::Udp),
        row("9.0.0.1", 53, Protocol::Tcp),
        second,
        row("9.0.0.1", 5, Protocol::Udp),
    ]
    .into_iter()
    .collect();
    let shown: Vec<_> = set.rows().iter().map(|row| row.frontend.to_string()).collect();
    assert_eq!(
        shown,
        ["9.0.0.1:5/UDP", "9.0.0.1:53/TCP", "9.0.0.1:53/UDP", "10.0.0.1:53/TCP", "[::1]:53/TCP"]
    );
    assert!(set.rows().iter().all(|row| &*row.policy.name == "p"));
    assert!(set.get(&row("::1", 53, Protocol::Tcp).frontend).is_some());
    assert!(set.get(&row("::1", 53, Protocol::Udp).frontend).is_none());
}

/// The linked digest names pods by UID and hears every other change.
#[test]
fn the_digest_tells_map_sets_apart() {
    let of = |change: &dyn Fn(&mut Row)| {
        let mut row = row("9.0.0.1", 53, Protocol::Tcp);
        change(&mut row);
        MapSet::from_iter([row]).digest()
    };
    let pods = |pods: Vec<PodRef>| {
        of(&|row: &mut Row| {
            row.outcome = Outcome::Redirect(vec![Backend {
                address: "10.0.0.1".parse().unwrap(),
                port: Port::new(80).unwrap(),
                pods: pods.clone(),
            }]);
        })
    };
    let base = of(&|_| {});
    assert_eq!(pods(vec![pod("renamed", Some("uid-b")), pod("b", Some("uid-a"))]), base);

    let different = [
        MapSet::default().digest(),
        pods(vec![pod("a", Some("uid-a"))]),
        pods(vec![pod("a", Some("uid-a")), pod("b", Some("uid-c"))]),
        pods(vec![pod("a", Some("uid-a")), pod("b", None)]),
        pods(vec![pod("a", Some("uid-a")), pod("c", None)]),
        of(&|row| row.frontend.protocol = Protocol::Udp),
        of(&|row| row.frontend.port = Port::new(54).unwrap()),
        of(&|row| row.policy.name = "q".into()),
        of(&|row| row.service = Some(ServiceName { namespace: "default".into(), name: "s".into() })),
        of(&|row| row.outcome = Outcome::Original(Reason::NoReadyBackend)),
        of(&|row| row.outcome = Outcome::Original(Reason::NoUsableBackend)),
        of(&|row| row.outcome = Outcome::Drop(Reason::NoReadyBackend)),
        of(&|row| row.skip_flag = true),
        of(&|row| row.skip = Arc::new([pod("a", Some("uid-a"))])),
        of(&|row| row.fallback = Fallback::Drop),
        of(&|row| row.clients = Clients::Pods),
        of(&|row| row.client_pods = Arc::new([pod("a", Some("uid-a"))])),
        base,
    ];
    for (index, one) in different.iter().enumerate() {
        assert!(different.iter().skip(index + 1).all(|other| other != one), "digest {index}");
    }
}

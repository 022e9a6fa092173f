use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, Operator, PolicyName, Port, Protocol, Requirement, Selector};

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

/// One row of every kind, as `docs/state-format.md` lists them.
fn every_kind() -> MapSet {
    let shown = |index: u16, change: &dyn Fn(&mut Row)| {
        let mut row = row("9.0.0.1", 100 + index, Protocol::Udp);
        change(&mut row);
        row
    };
    let selector = Selector::new(vec![
        Requirement::new("app".into(), Operator::In, vec!["a".into(), "b".into()]).unwrap(),
        Requirement::new("old".into(), Operator::DoesNotExist, vec![]).unwrap(),
    ]);
    let reasons = [
        Reason::NodeNotSelected,
        Reason::AddressOwnedByService,
        Reason::AddressNotAllowed,
        Reason::BackendNotIdentified,
        Reason::PortNotServed,
        Reason::NoReadyBackend,
        Reason::NoUsableBackend,
    ];
    let mut rows = vec![
        row("fd00::1", 53, Protocol::Tcp),
        shown(0, &|row| {
            row.service = Some(ServiceName { namespace: "ns".into(), name: "dns".into() });
            row.skip_flag = true;
            row.skip = Arc::new([pod("a", Some("uid-a")), pod("c", None)]);
            row.fallback = Fallback::Drop;
        }),
        shown(1, &|row| row.clients = Clients::Pods),
        shown(2, &|row| row.clients = Clients::AllPods),
        shown(3, &|row| row.clients = Clients::Namespace),
        shown(4, &|row| {
            row.clients = Clients::Selector(selector.clone());
            row.client_pods = Arc::new([pod("d", Some("uid-d"))]);
        }),
    ];
    for (index, reason) in (10..).zip(reasons) {
        rows.push(shown(index, &|row| row.outcome = Outcome::Original(reason)));
        rows.push(shown(index + 20, &|row| row.outcome = Outcome::Drop(reason)));
    }
    rows.into_iter().collect()
}

fn bytes(set: &MapSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    set.write(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_set_is_read_back_as_it_was_written() {
    for set in [MapSet::default(), every_kind()] {
        let read = MapSet::read(&bytes(&set)).unwrap();
        assert_eq!(read, set);
        assert_eq!(read.digest(), set.digest());
    }
}

/// The drawing in `docs/state-format.md`, byte by byte.
#[test]
fn the_bytes_are_those_of_the_documentation() {
    let written = bytes(&[row("9.0.0.1", 53, Protocol::Udp)].into_iter().collect());
    let mut drawn = b"\x02\0\0\0".to_vec();
    for name in ["a", "b"] {
        drawn.extend(b"\x07\0\0\0default\x01\0\0\0");
        drawn.extend(name.as_bytes());
        drawn.extend(b"\x01\x05\0\0\0uid-");
        drawn.extend(name.as_bytes());
    }
    drawn.extend(b"\x01\0\0\0");
    drawn.extend(b"\x04\x09\0\0\x01\x35\0\x11\x07\0\0\0default\x01\0\0\0p\0");
    drawn.extend(b"\0\x01\0\0\0\x04\x0a\0\0\x01\x50\0\x02\0\0\0\0\0\0\0\x01\0\0\0");
    drawn.extend(b"\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(written, drawn);
}

#[test]
fn nothing_that_is_damaged_is_read_as_what_was_written() {
    let set = every_kind();
    let whole = bytes(&set);
    for end in 0..whole.len() {
        assert!(MapSet::read(&whole[..end]).is_err(), "cut at {end}");
    }
    assert!(MapSet::read(&[&whole[..], b"\0"].concat()).is_err());
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        assert!(MapSet::read(&damaged).ok().is_none_or(|read| read != set), "byte {at}");
    }
    let mut twice = bytes(&[row("9.0.0.1", 53, Protocol::Udp)].into_iter().collect());
    let first = twice.iter().position(|&byte| byte == 0x11).unwrap() - 7;
    let row = twice[first..].to_vec();
    twice.extend(row);
    twice[first - 4] = 2;
    assert_eq!(MapSet::read(&twice).unwrap_err().to_string(), "not a map set: its rows are out of order");
}

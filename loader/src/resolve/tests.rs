use std::sync::Arc;

use lrpc_linker::profile::{Gap, warnings};
use lrpc_schema::image::Protocol;
use lrpc_schema::image::{Clients, Fallback, PolicyName, Port};
use lrpc_schema::records::Action;

use super::*;
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

fn resolved(rows: Vec<Row>) -> Resolved {
    resolve(&rows.into_iter().collect(), Profile::default()).unwrap()
}

#[test]
fn one_backend_is_inlined_and_several_are_a_run() {
    let one = resolved(vec![row("169.254.169.254:8080/TCP", &["10.0.0.1:80"])]);
    assert_eq!(one.tables.backends, []);
    let (key, value) = one.tables.frontends[0];
    assert_eq!((key.port(), key.protocol()), (8080, Some(Protocol::Tcp)));
    assert_eq!((value.action(), value.count()), (Some(Action::Redirect), 1));
    assert_eq!((value.backend().address(), value.backend().port()), ([10, 0, 0, 1].into(), 80));

    let several = resolved(vec![
        row("169.254.169.254:1/TCP", &["10.0.0.1:80", "10.0.0.2:80"]),
        row("169.254.169.254:2/TCP", &["10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"]),
    ]);
    assert_eq!((several.frontends, several.backends), (2, 4), "a backend of two frontends counts once");
    for (_, value) in &several.tables.frontends {
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
    assert_eq!((resolved.frontends, resolved.backends, resolved.left_out), (1, 0, 0));
    assert_eq!(resolved.tables.frontends[0].1.action(), Some(Action::Drop));
}

#[test]
fn a_row_that_needs_more_is_left_out_with_one_warning_of_each_kind() {
    let mut clients = row("169.254.169.254:2/TCP", &["10.0.0.1:80"]);
    clients.clients = Clients::Pods;
    let mut skip = row("169.254.169.254:3/UDP", &["10.0.0.1:80"]);
    skip.skip_flag = true;
    let set: MapSet = [
        row("169.254.169.254:1/TCP", &["10.0.0.1:80"]),
        clients,
        skip,
        row("[fd00::1]:4/TCP", &["[fd00::2]:80"]),
        row("[fd00::1]:5/TCP", &["[fd00::2]:80"]),
        row("169.254.169.254:6/UDP", &["10.0.0.1:80"]),
    ]
    .into_iter()
    .collect();
    let resolved = resolve(&set, Profile::default()).unwrap();
    assert_eq!((resolved.frontends, resolved.left_out), (2, 4));
    let found = warnings(&set, Profile::default());
    let warnings: Vec<_> = found
        .iter()
        .map(|warning| (warning.gap, warning.rows, warning.diagnostic::<()>().code.as_str()))
        .collect();
    assert_eq!(
        warnings,
        [
            (Gap::Ipv6, 2, "left-out"),
            (Gap::Clients, 1, "left-out"),
            (Gap::Skip, 1, "left-out"),
            (Gap::UnconnectedUdp, 1, "unconnected-udp"),
        ]
    );
    assert_eq!(found[0].policies.len(), 2);
    assert!(resolved.tables.frontends.iter().any(|(key, _)| key.protocol() == Some(Protocol::Udp)));
}

#[test]
fn a_security_boundary_is_never_loaded_halfway() {
    let boundaries =
        [row("[fd00::1]:4/TCP", &["[fd00::2]:80"]), row("169.254.169.254:6/UDP", &["10.0.0.1:80"])];
    for mut boundary in boundaries {
        boundary.fallback = Fallback::Drop;
        let frontend = boundary.frontend;
        let refused = resolve(&[boundary.clone()].into_iter().collect(), Profile::default()).unwrap_err();
        assert_eq!(refused.frontend, frontend);
        // Where the policy does not act at all, nothing is left out.
        boundary.outcome = Outcome::Original(Reason::NodeNotSelected);
        assert_eq!(resolve(&[boundary].into_iter().collect(), Profile::default()).unwrap().left_out, 0);
    }
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

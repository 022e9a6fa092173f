use std::sync::Arc;

use lrpc_schema::image::{
    Backend, Clients, Fallback, Image, Matcher, Operator, Policy, PolicyName, Port, PortSpec, Protocol,
    Requirement, Selector,
};

use super::*;
use crate::mapset::{self, Frontend, MapSet, Outcome, PodRef, Reason, Row};
use crate::mapset::{ShownBackend, ShownRow};
use crate::profile::{Mode, Profile};

fn spec(port: u16, protocol: Protocol, name: Option<&str>) -> PortSpec {
    PortSpec { port: Port::new(port).unwrap(), protocol, name: name.map(Into::into) }
}

fn tcp(port: u16) -> PortSpec {
    spec(port, Protocol::Tcp, None)
}

fn named(port: u16, name: &str) -> PortSpec {
    spec(port, Protocol::Tcp, Some(name))
}

fn one_of(key: &str, values: &[&str]) -> Selector {
    selector(key, Operator::In, values)
}

fn selector(key: &str, operator: Operator, values: &[&str]) -> Selector {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Selector::new(vec![Requirement::new(key.to_owned(), operator, values).unwrap()])
}

/// 169.254.169.254:80/TCP to port 8080 of the pods `app=x`.
fn policy(name: &str) -> Policy {
    Policy {
        name: PolicyName { namespace: "default".into(), name: name.into() },
        frontend: Matcher::Address { ip: "169.254.169.254".parse().unwrap(), ports: vec![tcp(80)] },
        backend: Backend { selector: one_of("app", &["x"]), ports: vec![tcp(8080)], address: None },
        skip: false,
        fallback: Fallback::Original,
        clients: Clients::All,
        nodes: None,
        shadow_service: false,
    }
}

fn service(name: &str, ports: Vec<PortSpec>) -> Policy {
    Policy { frontend: Matcher::Service { name: "dns".into(), ports }, ..policy(name) }
}

fn image(policies: &[Policy]) -> Image {
    Image::seal(policies.to_vec(), None, None)
}

/// Each frontend that is not the same, with its fields and what breaks.
fn compared(old: &[Policy], new: &[Policy]) -> Vec<String> {
    let (old, new) = (image(old), image(new));
    let diff = policies(&old, &new);
    let line = |change: &FrontendChange<'_>| {
        let fields: Vec<_> = change.deltas.iter().map(|delta| format!("{:?}", delta.field)).collect();
        let breaking: Vec<_> = change.breaking.iter().map(ToString::to_string).collect();
        let (change, frontend) = (change.change.as_str(), change.frontend);
        format!("{change} {frontend} [{}] [{}]", fields.join(" "), breaking.join(" "))
    };
    diff.frontends.iter().map(line).collect()
}

/// The one frontend of [`policy`], before and after a change.
fn after(change: impl Fn(&mut Policy)) -> Vec<String> {
    between(|_| {}, change)
}

fn between(before: impl Fn(&mut Policy), change: impl Fn(&mut Policy)) -> Vec<String> {
    let mut old = policy("p");
    before(&mut old);
    let mut new = old.clone();
    change(&mut new);
    compared(&[old], &[new])
}

const FRONTEND: &str = "changed 169.254.169.254:80/TCP";

#[test]
fn equal_policies_have_no_difference() {
    assert_eq!(compared(&[policy("p")], &[policy("p")]), Vec::<String>::new());
    assert_eq!(compared(&[], &[]), Vec::<String>::new());
}

#[test]
fn frontends_come_and_go() {
    assert_eq!(compared(&[], &[policy("p")]), ["added 169.254.169.254:80/TCP [] []"]);
    assert_eq!(compared(&[policy("p")], &[]), ["removed 169.254.169.254:80/TCP [] [frontend-removed]"]);
    let moved = after(|policy| {
        policy.frontend = Matcher::Address { ip: "9.0.0.1".parse().unwrap(), ports: vec![tcp(81)] };
    });
    assert_eq!(moved, ["added 9.0.0.1:81/TCP [] []", "removed 169.254.169.254:80/TCP [] [frontend-removed]"]);
}

/// What went through is refused where a policy that closes its frontend comes to have it.
#[test]
fn a_new_policy_that_drops_breaks() {
    let closing = |mut policy: Policy| {
        policy.fallback = Fallback::Drop;
        policy
    };
    assert_eq!(compared(&[], &[closing(policy("p"))]), ["added 169.254.169.254:80/TCP [] [traffic-dropped]"]);
    let (one, all) = (service("s", vec![tcp(53)]), service("s", Vec::new()));
    let one = closing(one);
    assert_eq!(
        compared(&[closing(all.clone())], std::slice::from_ref(&one)),
        ["removed service:default/dns:* [] [frontend-removed]", "added service:default/dns:53/TCP [] []"]
    );
    let added = "added service:default/dns:53/TCP [] [traffic-dropped]";
    assert_eq!(compared(&[all], &[one]), ["removed service:default/dns:* [] [frontend-removed]", added]);
}

#[test]
fn frontends_are_sorted_by_number_and_services_follow() {
    let at = |ip: &str, name: &str| Policy {
        frontend: Matcher::Address { ip: ip.parse().unwrap(), ports: vec![tcp(80)] },
        ..policy(name)
    };
    let all = [service("s", vec![tcp(53)]), at("::1", "a"), at("10.0.0.1", "b"), at("9.0.0.1", "c")];
    let shown = compared(&[], &all);
    let frontends: Vec<_> = shown.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        frontends,
        ["9.0.0.1:80/TCP", "10.0.0.1:80/TCP", "[::1]:80/TCP", "service:default/dns:53/TCP"]
    );
}

#[test]
fn a_frontend_may_change_its_owner() {
    assert_eq!(compared(&[policy("p")], &[policy("q")]), [format!("{FRONTEND} [Policy] []")]);
}

/// The breaking matrix: each field, in the direction that breaks and, but for the fallback, in the one that does
/// not.
#[test]
fn each_field_breaks_in_its_direction() {
    let none = |field: &str| vec![format!("{FRONTEND} [{field}] []")];
    let breaks = |field: &str, code: &str| vec![format!("{FRONTEND} [{field}] [{code}]")];
    let shrunk = |field| breaks(field, "coverage-shrunk");

    assert_eq!(after(|p| p.backend.selector = one_of("app", &["y"])), none("Selector"));
    assert_eq!(after(|p| p.backend.address = Some("169.254.1.1".parse().unwrap())), none("Address"));
    assert_eq!(after(|p| p.backend.ports = vec![tcp(8081)]), breaks("Ports", "port-changed"));

    let skip = |skip| move |p: &mut Policy| p.skip = skip;
    assert_eq!(between(skip(true), skip(false)), breaks("Skip", "skip-dropped"));
    assert_eq!(between(skip(false), skip(true)), none("Skip"));

    let fallback = |fallback| move |p: &mut Policy| p.fallback = fallback;
    assert_eq!(between(fallback(Fallback::Drop), fallback(Fallback::Original)), shrunk("Fallback"));
    let closing = between(fallback(Fallback::Original), fallback(Fallback::Drop));
    assert_eq!(closing, breaks("Fallback", "traffic-dropped"));

    let shadow = |shadow| move |p: &mut Policy| p.shadow_service = shadow;
    assert_eq!(between(shadow(true), shadow(false)), shrunk("ShadowService"));
    assert_eq!(between(shadow(false), shadow(true)), none("ShadowService"));

    let clients = |clients: &Clients| {
        let clients = clients.clone();
        move |p: &mut Policy| p.clients = clients.clone()
    };
    let widest_first = [
        Clients::All,
        Clients::AllPods,
        Clients::Namespace,
        Clients::Selector(one_of("app", &["a", "b"])),
        Clients::Selector(one_of("app", &["a"])),
    ];
    for (place, wide) in widest_first.iter().enumerate() {
        for narrow in widest_first.iter().skip(place + 1) {
            assert_eq!(between(clients(wide), clients(narrow)), shrunk("Clients"), "{wide} to {narrow}");
            assert_eq!(between(clients(narrow), clients(wide)), none("Clients"), "{narrow} to {wide}");
        }
    }

    // `pods` leaves the hostNetwork pods of a namespace alone.
    assert_eq!(between(clients(&Clients::AllPods), clients(&Clients::Pods)), shrunk("Clients"));
    assert_eq!(between(clients(&Clients::Pods), clients(&Clients::AllPods)), none("Clients"));
    assert_eq!(between(clients(&Clients::Pods), clients(&Clients::Namespace)), shrunk("Clients"));
    assert_eq!(between(clients(&Clients::Namespace), clients(&Clients::Pods)), shrunk("Clients"));

    let nodes = |nodes: Option<Selector>| move |p: &mut Policy| p.nodes = nodes.clone();
    let pool = || Some(one_of("pool", &["a"]));
    assert_eq!(between(nodes(None), nodes(pool())), shrunk("Nodes"));
    assert_eq!(between(nodes(pool()), nodes(None)), none("Nodes"));
    assert_eq!(between(nodes(pool()), nodes(Some(one_of("pool", &["b"])))), shrunk("Nodes"));
    assert_eq!(between(nodes(pool()), nodes(Some(one_of("pool", &["a", "b"])))), none("Nodes"));
}

/// Clients of a namespace are others once the policy lives in another.
#[test]
fn clients_of_another_namespace_are_other_clients() {
    let mut old = policy("p");
    old.clients = Clients::Namespace;
    let mut new = old.clone();
    new.name.namespace = "other".into();
    assert_eq!(compared(&[old], &[new]), [format!("{FRONTEND} [Policy Clients] [coverage-shrunk]")]);
}

#[test]
fn a_selector_covers_what_follows_from_it() {
    use Operator::{DoesNotExist, Exists, In, NotIn};
    let operators: [(Operator, &[&str]); 6] = [
        (In, &["a"]),
        (In, &["a", "b"]),
        (NotIn, &["a"]),
        (NotIn, &["a", "b"]),
        (Exists, &[]),
        (DoesNotExist, &[]),
    ];
    let labels: Vec<std::collections::BTreeMap<String, String>> = [None, Some("a"), Some("b"), Some("c")]
        .into_iter()
        .map(|value| value.map(|value| ("k".to_owned(), value.to_owned())).into_iter().collect())
        .collect();
    for (old_operator, old_values) in operators {
        for (new_operator, new_values) in operators {
            let old = selector("k", old_operator, old_values);
            let new = selector("k", new_operator, new_values);
            let covered = labels.iter().all(|labels| !old.matches(labels) || new.matches(labels));
            assert_eq!(cover::nodes(Some(&old), Some(&new)), covered, "`{old}` to `{new}`");
        }
    }
    assert!(!cover::nodes(Some(&one_of("k", &["a"])), Some(&one_of("other", &["a"]))));
}

/// R8: of a single kind only the first backend port counts.
#[test]
fn only_what_the_frontend_feels_counts() {
    let ports = |ports: Vec<PortSpec>| move |p: &mut Policy| p.backend.ports = ports.clone();
    assert_eq!(
        between(ports(vec![named(1, "a"), named(2, "b")]), ports(vec![named(1, "a"), named(3, "b")])),
        Vec::<String>::new()
    );
    // A port beside it: the names begin to count.
    let beside = after(|p| {
        p.frontend = Matcher::Address {
            ip: "169.254.169.254".parse().unwrap(),
            ports: vec![named(80, "http"), named(443, "https")],
        };
        p.backend.ports = vec![named(8080, "http"), named(8443, "https")];
    });
    assert_eq!(beside, [format!("{FRONTEND} [Ports] []"), "added 169.254.169.254:443/TCP [] []".into()]);
}

#[test]
fn named_ports_are_joined_by_name() {
    let with = |backend: [(u16, &str); 2]| {
        let mut policy = policy("p");
        policy.frontend = Matcher::Address {
            ip: "169.254.169.254".parse().unwrap(),
            ports: vec![named(80, "http"), named(443, "https")],
        };
        policy.backend.ports = backend.iter().map(|(port, name)| named(*port, name)).collect();
        [policy]
    };
    let old = with([(8080, "http"), (8443, "https")]);
    assert_eq!(
        compared(&old, &with([(8080, "http"), (9443, "https")])),
        ["changed 169.254.169.254:443/TCP [Ports] [port-changed]"]
    );
    assert_eq!(
        compared(&old, &with([(8080, "http"), (8443, "other")])),
        ["changed 169.254.169.254:443/TCP [Ports] [backends-emptied]"]
    );
}

#[test]
fn a_policy_for_the_whole_service_inherits_its_ports() {
    let (one, all) = ([service("s", vec![tcp(53)])], [service("s", Vec::new())]);
    assert_eq!(
        compared(&one, &all),
        ["added service:default/dns:* [] []", "removed service:default/dns:53/TCP [] []"]
    );
    assert_eq!(
        compared(&all, &one),
        ["removed service:default/dns:* [] [frontend-removed]", "added service:default/dns:53/TCP [] []"]
    );
    let mut moved = service("s", Vec::new());
    moved.backend.ports = vec![tcp(1)];
    assert_eq!(
        compared(&one, &[moved]),
        ["added service:default/dns:* [] []", "removed service:default/dns:53/TCP [] [port-changed]"]
    );
}

#[test]
fn immutable_fields_are_those_of_the_crd() {
    let changed = |change: &dyn Fn(&mut Policy)| {
        let mut new = policy("p");
        change(&mut new);
        let (old, new) = (image(&[policy("p")]), image(&[new]));
        policies(&old, &new).changed.iter().flat_map(|change| change.immutable.clone()).collect::<Vec<_>>()
    };
    use Immutable::{RedirectBackend, RedirectFrontend, SkipRedirectFromBackend};
    assert_eq!(changed(&|p| p.skip = true), [SkipRedirectFromBackend]);
    assert_eq!(changed(&|p| p.backend.ports = vec![tcp(1)]), [RedirectBackend]);
    assert_eq!(changed(&|p| p.backend.selector = Selector::default()), [RedirectBackend]);
    assert_eq!(
        changed(&|p| p.frontend = Matcher::Service { name: "s".into(), ports: Vec::new() }),
        [RedirectFrontend]
    );
    // Annotations may change.
    let annotations = |p: &mut Policy| {
        p.backend.address = Some("169.254.1.1".parse().unwrap());
        p.fallback = Fallback::Drop;
        p.clients = Clients::Pods;
        p.nodes = Some(one_of("pool", &["a"]));
        p.shadow_service = true;
    };
    assert_eq!(changed(&annotations), []);
}

fn pod(name: &str) -> PodRef {
    PodRef { namespace: "default".into(), name: name.into(), uid: Some(name.into()) }
}

fn to(ip: &str, port: u16, name: &str) -> Outcome {
    Outcome::Redirect(vec![mapset::Backend {
        address: ip.parse().unwrap(),
        port: Port::new(port).unwrap(),
        pods: vec![pod(name)],
    }])
}

fn row(outcome: Outcome) -> Row {
    Row {
        frontend: Frontend {
            address: "9.0.0.1".parse().unwrap(),
            port: Port::new(80).unwrap(),
            protocol: Protocol::Tcp,
        },
        policy: policy("p").name,
        service: None,
        outcome,
        skip_flag: false,
        skip: Arc::new([]),
        fallback: Fallback::Original,
        clients: Clients::All,
        client_pods: Arc::new([]),
    }
}

fn linked(rows: impl IntoIterator<Item = Row>) -> Rows {
    Rows::Linked(MapSet::from_iter(rows))
}

fn live(rows: impl IntoIterator<Item = Row>) -> Rows {
    let without_names = |row: Row| ShownRow {
        policy: None,
        service: None,
        reason: None,
        skip: None,
        clients: None,
        backends: row
            .backends()
            .iter()
            .map(|to| ShownBackend { address: to.address, port: to.port.get(), pods: None })
            .collect(),
        ..ShownRow::of(&row, Profile::default())
    };
    Rows::Live(rows.into_iter().map(without_names).collect())
}

fn verdict(old: &Rows, new: &Rows) -> Option<(Change, Vec<Breaking>, bool)> {
    let changes = rows(old, new, Profile::default());
    assert!(changes.len() < 2);
    changes.into_iter().next().map(|change| {
        let lost = change.loses_last_backend();
        (change.change, change.breaking, lost)
    })
}

#[test]
fn rows_break_on_the_node_that_loses_something() {
    use Breaking::{
        BackendsEmptied, CoverageShrunk, FrontendRemoved, PortChanged, SkipDropped, TrafficDropped,
    };
    let original = Outcome::Original;
    let exempting = || Row { skip_flag: true, skip: Arc::new([pod("a")]), ..row(to("10.0.0.1", 80, "a")) };
    let a = || row(to("10.0.0.1", 80, "a"));
    let is = |old: Row, new: Row| verdict(&linked([old]), &linked([new]));
    let changed = |breaking: &[Breaking], lost| Some((Change::Changed, breaking.to_vec(), lost));

    assert_eq!(is(a(), a()), None);
    assert_eq!(verdict(&linked([]), &linked([a()])), Some((Change::Added, vec![], false)));
    assert_eq!(verdict(&linked([a()]), &linked([])), Some((Change::Removed, vec![FrontendRemoved], false)));
    let left_alone = || row(original(Reason::NoReadyBackend));
    assert_eq!(verdict(&linked([left_alone()]), &linked([])), Some((Change::Removed, vec![], false)));
    assert_eq!(is(a(), row(to("10.0.0.2", 80, "b"))), changed(&[], false));
    assert_eq!(is(a(), row(to("10.0.0.1", 81, "a"))), changed(&[PortChanged], false));
    assert_eq!(is(a(), left_alone()), changed(&[BackendsEmptied], true));
    let closed = || row(Outcome::Drop(Reason::NoReadyBackend));
    assert_eq!(is(a(), closed()), changed(&[BackendsEmptied, TrafficDropped], true));
    let unknown = row(Outcome::Drop(Reason::BackendNotIdentified));
    assert_eq!(is(a(), unknown), changed(&[CoverageShrunk, TrafficDropped], true));
    assert_eq!(verdict(&linked([]), &linked([closed()])), Some((Change::Added, vec![TrafficDropped], false)));
    assert_eq!(
        verdict(&linked([closed()]), &linked([])),
        Some((Change::Removed, vec![FrontendRemoved], false))
    );
    assert_eq!(is(closed(), row(Outcome::Drop(Reason::NoUsableBackend))), changed(&[], false));
    assert_eq!(is(closed(), a()), changed(&[], false));
    assert_eq!(is(a(), row(original(Reason::NodeNotSelected))), changed(&[CoverageShrunk], true));
    assert_eq!(
        is(row(Outcome::Drop(Reason::NoReadyBackend)), left_alone()),
        changed(&[CoverageShrunk], false)
    );
    assert_eq!(is(left_alone(), closed()), changed(&[TrafficDropped], false));
    assert_eq!(is(left_alone(), a()), changed(&[], false));
    assert_eq!(is(exempting(), a()), changed(&[SkipDropped], false));
    assert_eq!(is(a(), exempting()), changed(&[], false));
    assert_eq!(is(a(), Row { clients: Clients::Pods, ..a() }), changed(&[], false));
    // What a row does not show is not on the node.
    assert_eq!(is(a(), Row { fallback: Fallback::Drop, ..a() }), None);
}

/// The kernel cannot say what it does not hold.
#[test]
fn what_the_kernel_cannot_know_is_no_difference() {
    let a = || row(to("10.0.0.1", 80, "a"));
    assert_eq!(verdict(&live([a()]), &linked([a()])), None);
    assert_eq!(verdict(&linked([a()]), &live([a()])), None);
    assert_eq!(verdict(&live([a()]), &live([a()])), None);
    // Rows without an entry: left alone, or left out in this mode.
    assert_eq!(verdict(&live([]), &linked([row(Outcome::Original(Reason::NoReadyBackend))])), None);
    assert!(rows(&live([]), &linked([a()]), Profile::new(Mode::PodsOnly)).is_empty());

    let changed = verdict(&live([a()]), &linked([row(to("10.0.0.2", 80, "a"))]));
    assert_eq!(changed, Some((Change::Changed, vec![], false)));
    let emptied = verdict(&live([a()]), &linked([row(Outcome::Original(Reason::NoReadyBackend))]));
    assert_eq!(emptied, Some((Change::Changed, vec![Breaking::BackendsEmptied], true)));
    assert_eq!(verdict(&live([]), &linked([a()])), Some((Change::Added, vec![], false)));
    assert_eq!(
        verdict(&linked([a()]), &live([])),
        Some((Change::Removed, vec![Breaking::FrontendRemoved], false))
    );
}

//! Other programs on the same hooks, and cgroups that are not the loaded one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lrpc_loader::node::{Error, Node, NodeDirs, Verdict};
use lrpc_schema::image::Protocol;
use lrpc_schema::records::Hook;
use testkit::{Client, Place, Server};

use crate::Test;
use crate::raw::{Foreign, order};
use crate::world::{FRONTEND, OLD, World, asker, image, of_service, options, row, sent, set};

pub(crate) const TESTS: &[Test] = &[
    (
        "an_exclusive_program_on_any_hook_is_refused_by_name",
        an_exclusive_program_on_any_hook_is_refused_by_name,
    ),
    ("an_override_program_above_is_refused", an_override_program_above_is_refused),
    ("ours_runs_before_balancers_beside_it_and_above", ours_runs_before_balancers_beside_it_and_above),
    ("a_balancer_below_runs_before_ours_and_is_named", a_balancer_below_runs_before_ours_and_is_named),
    ("a_balancer_that_goes_before_ours_is_named", a_balancer_that_goes_before_ours_is_named),
    ("another_cgroup_is_refused", another_cgroup_is_refused),
];

/// An instance of its own for a cgroup.
fn node(world: &World, cgroup: &Path) -> Node {
    Node::new(NodeDirs {
        cgroup: Some(cgroup.to_owned()),
        bpffs: world.sandbox.bpffs(),
        state: world.sandbox.state(),
    })
}

fn below(world: &World, name: &str) -> PathBuf {
    let below = world.sandbox.cgroup().join(name);
    std::fs::create_dir(&below).unwrap();
    below
}

#[track_caller]
fn refused(world: &World, node: &Node, sharing: &str, hook: Hook, holding: &Path) {
    let error = node.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &options(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Held(_)), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(sharing) && said.contains(&format!("hook `{hook}`")), "{said}");
    assert!(said.contains(&format!("`{}`", holding.display())), "{said}");
    assert!(error.remedy().is_some());
    assert_eq!(world.pinned(), [] as [&str; 0], "something was left");
    let doctor = node.doctor(&asker);
    let hooks = doctor.iter().find(|check| check.name == "hooks").unwrap();
    assert!(hooks.verdict == Verdict::Fail && hooks.fix.is_some(), "{hooks:?}");
}

fn an_exclusive_program_on_any_hook_is_refused_by_name() {
    let world = World::new();
    for hook in Hook::ALL {
        let cgroup = below(&world, hook.name());
        let foreign = Foreign::passing(hook);
        foreign.hold(&cgroup, 0);
        let program = format!("exclusive program `lb_{hook} (id {})`", foreign.id());
        refused(&world, &node(&world, &cgroup), &program, hook, &cgroup);
    }
}

fn an_override_program_above_is_refused() {
    let world = World::new();
    let foreign = Foreign::passing(Hook::Sendmsg6);
    foreign.hold(world.sandbox.cgroup(), 1);
    let node = node(&world, &below(&world, "pod"));
    refused(&world, &node, "override program `lb_sendmsg6", Hook::Sendmsg6, world.sandbox.cgroup());
}

/// A Service, the pod on this node to which a policy sends its clients, and the pod elsewhere to which a balancer
/// does.
struct Service {
    address: &'static str,
    local: &'static str,
    elsewhere: &'static str,
    connect: Hook,
    send: Hook,
}

const SERVICES: [Service; 2] = [
    Service {
        address: "10.96.0.10:53",
        local: "10.244.3.1:5353",
        elsewhere: "10.244.3.2:5353",
        connect: Hook::Connect4,
        send: Hook::Sendmsg4,
    },
    Service {
        address: "[fd00:96::10]:53",
        local: "[fd00:96::31]:5353",
        elsewhere: "[fd00:96::32]:5353",
        connect: Hook::Connect6,
        send: Hook::Sendmsg6,
    },
];

impl Service {
    fn serve(&self, world: &World) {
        for pod in [self.local, self.elsewhere] {
            let address: SocketAddr = pod.parse().unwrap();
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            world.sandbox.add_address(&format!("{}/{prefix}", address.ip())).unwrap();
            let address_is_there = || Server::start(address, pod);
            // A new IPv6 address is looked for on the link before it can be used.
            let started = (0..50).find_map(|_| {
                let started = address_is_there().ok();
                if started.is_none() {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                started
            });
            started.expect("the address can be used");
        }
    }

    /// Balancers of this Service, on connects and datagrams.
    fn balancers(&self) -> [Foreign; 2] {
        let (service, pod) = (self.address.parse().unwrap(), self.elsewhere.parse().unwrap());
        [self.connect, self.send].map(|hook| Foreign::balancing(hook, service, pod))
    }

    /// What [`reached`](Self::reached) says where a policy acts.
    fn redirected(&self) -> [String; 3] {
        [self.local; 3].map(str::to_owned)
    }

    /// What it says where a balancer acts: these have no program that gives answers the Service's address.
    fn balanced(&self) -> [String; 3] {
        let pod = self.elsewhere;
        [pod.to_owned(), pod.to_owned(), format!("{pod} from {pod}")]
    }

    /// Where a TCP connect, a connected UDP socket and a datagram of a process in a cgroup end, one after another.
    fn reached(&self, cgroup: &Path) -> [String; 3] {
        let mut pod = Client::start(Place::Cgroup(cgroup)).unwrap();
        let [tcp, udp] = ["tcp", "udp"].map(|protocol| match pod.connect(protocol, self.address) {
            Ok(answer) => answer.name,
            Err(error) => error.to_string(),
        });
        [tcp, udp, sent(cgroup, self.address)]
    }
}

fn rows() -> lrpc_linker::MapSet {
    let mut rows = Vec::new();
    for service in &SERVICES {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let mut row = of_service(row(service.address, service.local));
            row.frontend.protocol = protocol;
            rows.push(row);
        }
    }
    set(&rows)
}

/// A balancer of Services rewrites the address, so ours must run first: attached before ours, behind it, and above.
fn ours_runs_before_balancers_beside_it_and_above() {
    let world = World::new();
    SERVICES.iter().for_each(|service| service.serve(&world));
    let (above, cgroup) = (world.sandbox.cgroup().to_owned(), below(&world, "kube"));
    let node = node(&world, &cgroup);
    let mut before: Vec<_> = SERVICES.iter().flat_map(Service::balancers).collect();
    before.iter_mut().for_each(|balancer| balancer.share(&cgroup));
    for service in &SERVICES {
        assert_eq!(service.reached(&cgroup), service.balanced(), "the control: they do balance");
    }
    node.apply(&image(0), &rows(), &options(), &mut |_| {}).unwrap();
    let mut behind: Vec<_> = SERVICES.iter().flat_map(Service::balancers).collect();
    behind.iter_mut().for_each(|balancer| balancer.share(&cgroup));
    let mut higher: Vec<_> = SERVICES.iter().flat_map(Service::balancers).collect();
    higher.iter_mut().for_each(|balancer| balancer.share(&above));
    for service in &SERVICES {
        assert_eq!(service.reached(&cgroup), service.redirected());
        let running = order(&cgroup, service.connect);
        assert_eq!(running.len(), 3, "{running:?}");
        assert!(before.iter().chain(&behind).all(|balancer| balancer.id() != running[0]), "{running:?}");
    }
    assert!(node.verify(None).unwrap().ok);
    assert_eq!(node.status().unwrap().differences, []);
    let doctor = node.doctor(&asker);
    let hooks: Vec<_> = doctor.iter().filter(|check| check.name == "hooks").collect();
    assert!(hooks.iter().all(|check| check.verdict == Verdict::Ok), "{hooks:?}");
    let [over, same] = &hooks[..] else { panic!("{hooks:?}") };
    assert!(
        over.found.starts_with(&format!("4 programs behind ours above, on `{}`", above.display())),
        "{over:?}"
    );
    assert!(same.found.starts_with(&format!("8 programs behind ours on `{}`", cgroup.display())), "{same:?}");
    let named = format!("`lb_sendmsg6 (id {})` on sendmsg6", behind[3].id());
    assert!(same.found.contains(&named), "{same:?}");
    node.unload().unwrap();
    assert_eq!(order(&cgroup, Hook::Connect4), [before[0].id(), behind[0].id()], "neighbours stay");
    for service in &SERVICES {
        assert_eq!(service.reached(&cgroup), service.balanced());
    }
}

/// A child's programs run before its parent's, whatever was attached first.
fn a_balancer_below_runs_before_ours_and_is_named() {
    let world = World::new();
    SERVICES.iter().for_each(|service| service.serve(&world));
    let [pod, other] = ["pod", "other"].map(|name| below(&world, name));
    world.node.apply(&image(0), &rows(), &options(), &mut |_| {}).unwrap();
    let mut balancers: Vec<_> = SERVICES.iter().flat_map(Service::balancers).collect();
    balancers.iter_mut().for_each(|balancer| balancer.share(&pod));
    for service in &SERVICES {
        assert_eq!(service.reached(&pod), service.balanced());
        assert_eq!(service.reached(&other), service.redirected(), "nobody else's sockets");
    }
    let hooks = world.doctor("hooks");
    let [line] = &hooks[..] else { panic!("{hooks:?}") };
    assert!(
        line.found.starts_with(&format!("4 programs before ours below, on `{}`", pod.display())),
        "{line:?}"
    );
    assert!(line.verdict == Verdict::Warn && line.fix.is_some(), "{line:?}");
    // Ours run there all the same.
    assert!(world.doctor("effective").iter().all(|check| check.verdict == Verdict::Ok));
}

/// Who attaches before ours later hides Services from it: `status` says so, and `doctor` who it is.
fn a_balancer_that_goes_before_ours_is_named() {
    let world = World::new();
    SERVICES.iter().for_each(|service| service.serve(&world));
    world.node.apply(&image(0), &rows(), &options(), &mut |_| {}).unwrap();
    let mut balancers = SERVICES[1].balancers();
    balancers.iter_mut().for_each(|balancer| balancer.go_before(world.sandbox.cgroup()));
    assert_eq!(SERVICES[0].reached(world.sandbox.cgroup()), SERVICES[0].redirected());
    assert_eq!(SERVICES[1].reached(world.sandbox.cgroup()), SERVICES[1].balanced());
    let differences = world.node.status().unwrap().differences;
    let mut names: Vec<_> = differences.iter().map(|difference| difference.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["connect6", "sendmsg6"]);
    assert!(!world.node.verify(None).unwrap().ok);
    let hooks = world.doctor("hooks");
    let [line] = &hooks[..] else { panic!("{hooks:?}") };
    assert!(line.verdict == Verdict::Fail && line.fix.is_some(), "{line:?}");
    assert!(line.found.starts_with("2 programs before ours on "), "{line:?}");
    assert!(
        line.found.contains(&format!("`lb_connect6 (id {})` on connect6", balancers[0].id())),
        "{line:?}"
    );
}

fn another_cgroup_is_refused() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let below = below(&world, "pod");
    let other = node(&world, &below);
    let refused = other.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &options(), &mut |_| {}).unwrap_err();
    assert!(matches!(&refused, Error::OtherCgroup { wanted, .. } if *wanted == below), "{refused:?}");
    world.whole();
}

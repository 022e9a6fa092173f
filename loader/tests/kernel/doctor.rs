//! Whether what is loaded acts, as `doctor` asks: each check beside what makes it fail.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use lrpc_loader::node::{Check, Verdict};
use lrpc_loader::probe::{Answer, Family};
use lrpc_schema::image::Protocol;
use lrpc_schema::records::Hook;
use testkit::{Client, Place};

use crate::Test;
use crate::raw::{Foreign, order, pin_hash};
use crate::world::{FRONTEND, NEW, OLD, World, asker, image, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("what_is_loaded_is_effective_and_answers", what_is_loaded_is_effective_and_answers),
    ("a_link_on_a_cgroup_that_died_is_not_effective", a_link_on_a_cgroup_that_died_is_not_effective),
    ("a_program_in_place_of_ours_is_not_ours", a_program_in_place_of_ours_is_not_ours),
    ("a_hook_that_is_missing_is_told_by_what_it_does", a_hook_that_is_missing_is_told_by_what_it_does),
    ("who_hides_the_frontend_is_noticed", who_hides_the_frontend_is_noticed),
    ("asking_sends_no_packet", asking_sends_no_packet),
    ("what_cannot_be_asked_is_not_fine", what_cannot_be_asked_is_not_fine),
    ("a_policy_for_the_test_rows_address_wins", a_policy_for_the_test_rows_address_wins),
    ("test_rows_are_never_shown", test_rows_are_never_shown),
    ("ciliums_own_redirects_are_named", ciliums_own_redirects_are_named),
];

#[track_caller]
fn only(checks: Vec<Check>) -> Check {
    let [check] = &checks[..] else { panic!("{checks:?}") };
    check.clone()
}

/// The verdict of a line, and what it found.
#[track_caller]
fn line(world: &World, name: &str) -> (Verdict, String) {
    let check = only(world.doctor(name));
    assert_eq!(check.fix.is_some(), check.verdict != Verdict::Ok, "{check:?}");
    (check.verdict, check.found)
}

/// Asserts that nothing is left of the cgroup for a moment.
#[track_caller]
fn left_nothing(cgroup: &Path) {
    let left: Vec<_> = fs::read_dir(cgroup)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("lrpc-doctor"))
        .collect();
    assert_eq!(left, [] as [&str; 0]);
}

fn what_is_loaded_is_effective_and_answers() {
    let world = World::new();
    for name in ["effective", "answers"] {
        assert_eq!(world.doctor(name), [], "nothing is loaded");
    }
    let pod = world.sandbox.cgroup().join("kubepods/burstable/poduid");
    fs::create_dir_all(&pod).unwrap();
    for backend in [OLD, NEW] {
        world.apply(backend).unwrap();
        let (verdict, found) = line(&world, "effective");
        assert_eq!((verdict, &*found), (Verdict::Ok, "programs of lrpc run for all 8 hooks and for its pod"));
        let (verdict, found) = line(&world, "answers");
        assert_eq!(verdict, Verdict::Ok, "{found}");
        assert!(found.ends_with("by IPv4 and IPv6"), "{found}");
    }
    left_nothing(world.sandbox.cgroup());
    // An audit touches nothing of anybody's, and answers all the same.
    let audit =
        lrpc_loader::node::ApplyOptions { conduct: lrpc_loader::resolve::Conduct::Audit, ..options() };
    world.node.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &audit, &mut |_| {}).unwrap();
    assert_eq!(line(&world, "answers").0, Verdict::Ok);
    world.node.unload().unwrap();
    assert_eq!(world.doctor("answers"), []);
}

/// A directory of the same name is another cgroup, and the pinned links are those of the one that died. A socket that
/// was made there keeps them attached.
fn a_link_on_a_cgroup_that_died_is_not_effective() {
    let mut world = World::new();
    let cgroup = world.sandbox.cgroup().join("kube");
    let pod = cgroup.join("kubepods/poduid");
    fs::create_dir_all(&pod).unwrap();
    world.node = lrpc_loader::node::Node::new(lrpc_loader::node::NodeDirs {
        cgroup: Some(cgroup.clone()),
        bpffs: world.sandbox.bpffs(),
        state: world.sandbox.state(),
    });
    world.apply(OLD).unwrap();
    world.whole();
    assert_eq!(line(&world, "effective").0, Verdict::Ok);
    let mut outliving = Client::start(Place::Cgroup(&pod)).unwrap();
    outliving.connect("tcp", FRONTEND).unwrap();
    let process = fs::read_to_string(pod.join("cgroup.procs")).unwrap();
    fs::write(world.sandbox.cgroup().join("cgroup.procs"), process.trim()).unwrap();
    for folder in [&*pod, pod.parent().unwrap(), &*cgroup] {
        fs::remove_dir(folder).unwrap();
    }
    let differences = |world: &World| world.node.status().unwrap().differences;
    assert_eq!(differences(&world).len(), 1, "gone");
    fs::create_dir_all(&pod).unwrap();
    let differing = differences(&world);
    assert_eq!((differing.len(), &*differing[0].name), (1, "cgroup"), "the links seem sound: {differing:?}");
    let (verdict, found) = line(&world, "effective");
    assert!(verdict == Verdict::Fail && found.contains("connect4") && found.contains("recvmsg6"), "{found}");
    let (verdict, found) = line(&world, "answers");
    assert!(verdict == Verdict::Fail && found.contains("IPv4") && found.contains("IPv6"), "{found}");
    left_nothing(&cgroup);
    world.apply(OLD).unwrap();
    world.whole();
    assert_eq!((line(&world, "effective").0, line(&world, "answers").0), (Verdict::Ok, Verdict::Ok));
}

/// Links that are there, with a program of somebody else behind them.
fn a_program_in_place_of_ours_is_not_ours() {
    for (hook, told) in [
        (Hook::Connect4, "IPv4: a connect to 192.0.0.8:1"),
        (Hook::Getpeername6, "IPv6: a connect to [100::8]:1 is redirected, and getpeername says [::1]:9"),
        (Hook::Sendmsg4, ""),
    ] {
        let world = World::new();
        world.apply(OLD).unwrap();
        let foreign = Foreign::passing(hook);
        foreign.usurp(&world.sandbox.bpffs().join(format!("links/{hook}")));
        let (verdict, found) = line(&world, "effective");
        assert!(verdict == Verdict::Fail && found.ends_with(&format!("for {hook}")), "{found}");
        let (verdict, found) = line(&world, "answers");
        assert_eq!(verdict, if told.is_empty() { Verdict::Ok } else { Verdict::Fail }, "{found}");
        assert!(found.contains(told), "{found}");
        let hooks = only(world.doctor("hooks"));
        assert!(hooks.found.contains(&format!("lb_{hook} (id {})", foreign.id())), "{hooks:?}");
    }
}

fn a_hook_that_is_missing_is_told_by_what_it_does() {
    let world = World::new();
    world.apply(OLD).unwrap();
    fs::remove_file(world.sandbox.bpffs().join("links/connect6")).unwrap();
    // The kernel takes the program off some time after the last pin has gone.
    for _ in 0..500 {
        if order(world.sandbox.cgroup(), Hook::Connect6).is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(line(&world, "effective").1.ends_with("for connect6"));
    let (verdict, found) = line(&world, "answers");
    assert!(verdict == Verdict::Fail && found.starts_with("IPv6: a connect to [100::8]:1"), "{found}");
    assert!(!found.contains("IPv4"), "{found}");
}

/// Ours are in the effective list, and a stranger before them takes what they would have met.
fn who_hides_the_frontend_is_noticed() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let frontend = Family::V4.frontend();
    let mut balancer = Foreign::balancing(Hook::Connect4, frontend, "10.244.1.2:9".parse().unwrap());
    balancer.go_before(world.sandbox.cgroup());
    assert_eq!(line(&world, "effective").0, Verdict::Ok);
    let (verdict, found) = line(&world, "answers");
    assert!(verdict == Verdict::Fail && found.starts_with("IPv4: "), "{found}");
    assert_eq!(only(world.doctor("hooks")).verdict, Verdict::Warn);
}

/// The datagrams that were sent from this network namespace.
fn datagrams_sent() -> (u64, u64) {
    let four = fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    // Names and numbers are in two lines.
    let [names, numbers] = &four.lines().filter(|line| line.starts_with("Udp:")).collect::<Vec<_>>()[..]
    else {
        panic!("{four}")
    };
    let place = names.split(' ').position(|name| name == "OutDatagrams").unwrap();
    let six = fs::read_to_string("/proc/thread-self/net/snmp6").unwrap();
    let six = six.lines().find_map(|line| line.strip_prefix("Udp6OutDatagrams")).unwrap();
    (numbers.split(' ').nth(place).unwrap().parse().unwrap(), six.trim().parse().unwrap())
}

/// With a route to the reserved addresses, as every node has one, and also where nothing of ours acts.
fn asking_sends_no_packet() {
    let world = World::new();
    world.sandbox.add_address("198.51.100.1/32").unwrap();
    world.sandbox.add_address("2001:db8::1/128").unwrap();
    for route in ["192.0.0.8/32 dev lo src 198.51.100.1", "100::8/128 dev lo src 2001:db8::1"] {
        let arguments = ["route", "add"].into_iter().chain(route.split(' '));
        assert!(Command::new("ip").args(arguments).status().unwrap().success());
    }
    let before = datagrams_sent();
    let asked = lrpc_loader::probe::ask();
    for ((family, answer), here) in asked.into_iter().zip(["198.51.100.1", "2001:db8::1"]) {
        let Answer::Connected { peer, source } = answer else { panic!("{answer:?}") };
        assert_eq!((peer, source.ip().to_string().as_str()), (family.frontend(), here), "left alone");
    }
    world.apply(OLD).unwrap();
    assert_eq!(line(&world, "answers").0, Verdict::Ok);
    for hook in [Hook::Connect4, Hook::Connect6] {
        Foreign::passing(hook).usurp(&world.sandbox.bpffs().join(format!("links/{hook}")));
    }
    let (verdict, found) = line(&world, "answers");
    assert_eq!(verdict, Verdict::Fail);
    assert_eq!(found.matches("is left alone").count(), 2, "{found}");
    assert_eq!(datagrams_sent(), before);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"", socket.local_addr().unwrap()).unwrap();
    assert_eq!(datagrams_sent(), (before.0 + 1, before.1), "the control: what is sent is counted");
}

fn what_cannot_be_asked_is_not_fine() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let asked = |asker: &dyn Fn() -> Command| {
        let checks = world.node.doctor(asker);
        let check = checks.into_iter().find(|check| check.name == "answers").unwrap();
        assert!(check.verdict == Verdict::Warn && check.found.starts_with("not checked: "), "{check:?}");
        check.found
    };
    assert!(asked(&|| Command::new("/nonexistent")).contains("no process"));
    assert!(asked(&|| Command::new("true")).contains("says nothing"));
    // No room for another cgroup.
    fs::write(world.sandbox.cgroup().join("cgroup.max.descendants"), "0").unwrap();
    assert!(asked(&asker).contains("making cgroup"));
    fs::write(world.sandbox.cgroup().join("cgroup.max.descendants"), "max").unwrap();
    assert_eq!(line(&world, "answers").0, Verdict::Ok);
    left_nothing(world.sandbox.cgroup());
}

fn a_policy_for_the_test_rows_address_wins() {
    let world = World::new();
    let mut own = row(&Family::V4.frontend().to_string(), OLD);
    own.frontend.protocol = Protocol::Udp;
    let applied = world.node.apply(&image(0), &set(&[own]), &options(), &mut |_| {}).unwrap();
    assert_eq!(applied.status.active.unwrap().frontends, 1);
    let shown = world.node.dump().unwrap().frontends;
    assert_eq!((shown.len(), shown[0].backends[0].address.to_string()), (1, "10.244.1.1".to_owned()));
    let (verdict, found) = line(&world, "answers");
    assert_eq!((verdict, &*found), (Verdict::Warn, "not checked: a policy redirects 192.0.0.8:1"));
}

fn test_rows_are_never_shown() {
    let world = World::new();
    let first = world.apply(OLD).unwrap();
    assert_eq!(first.frontends_changed.unwrap().added, 1);
    let dump = world.node.dump().unwrap();
    assert_eq!((dump.frontends.len(), dump.tables["frontends"].entries), (1, 1));
    assert_eq!(world.node.status().unwrap().active.unwrap().frontends, 1);
    let empty = world.node.apply(&image(0), &set(&[]), &options(), &mut |_| {}).unwrap();
    assert_eq!(empty.frontends_changed.unwrap().removed, 1);
    let shown = empty.status.active.unwrap();
    assert_eq!((shown.frontends, shown.backends), (0, 0));
    assert_eq!(world.node.dump().unwrap().frontends, []);
    assert_eq!(line(&world, "answers").0, Verdict::Ok, "also of an empty set");
    world.whole();
}

/// The service tables as Cilium makes them, beside the instance on its bpffs, and such as it does not make.
fn ciliums_own_redirects_are_named() {
    let world = World::new();
    world.apply(OLD).unwrap();
    assert_eq!(world.doctor("cilium"), []);
    let pins = world.sandbox.bpf_mount().join("tc/globals");
    fs::create_dir_all(&pins).unwrap();
    assert_eq!(world.doctor("cilium"), [], "no table");
    // ADDRESS, PORT, number of the backend, PROTOCOL; FLAGS are the ninth and tenth byte of a value.
    let four = |last: u8, port: u8| [10, 96, 0, last, 0, port, 0, 0, 17, 0, 0, 0];
    let value = |flags2: u8| [0, 0, 0, 0, 1, 0, 7, 0, 0x40, flags2, 0, 0];
    pin_hash(&pins.join("cilium_lb4_services_v2"), &[(four(10, 53), value(0))]);
    let (verdict, found) = line(&world, "cilium");
    assert!(verdict == Verdict::Ok && found.contains("none to local pods"), "{found}");
    fs::remove_file(pins.join("cilium_lb4_services_v2")).unwrap();
    pin_hash(&pins.join("cilium_lb4_services_v2"), &[(four(10, 53), value(0)), (four(11, 80), value(1))]);
    let (verdict, found) = line(&world, "cilium");
    assert!(verdict == Verdict::Warn && found.ends_with("two owners: 10.96.0.11:80"), "{found}");
    let mut six = [0; 24];
    (six[0], six[15], six[17], six[20]) = (0xfd, 1, 53, 17);
    pin_hash(&pins.join("cilium_lb6_services_v2"), &[(six, value(3))]);
    assert!(line(&world, "cilium").1.ends_with("10.96.0.11:80, [fd00::1]:53"));
    fs::remove_file(pins.join("cilium_lb6_services_v2")).unwrap();
    pin_hash(&pins.join("cilium_lb6_services_v2"), &[(six, [0; 16])]);
    let (verdict, found) = line(&world, "cilium");
    assert!(verdict == Verdict::Warn && found.starts_with("not checked: "), "{found}");
}

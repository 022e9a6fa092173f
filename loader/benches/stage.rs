//! What staging costs an entry: from a linked set in memory to tables that are filled, read back, compared and
//! frozen, by the loader's own steps. And what comes beside it: the grace period of the outer update.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and ends where it cannot"
)]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Backend, Outcome, Row};
use lrpc_loader::node::{ApplyOptions, Node, NodeDirs, Step};
use lrpc_schema::image::{Clients, Endpoint, Fallback, Image, PolicyName, Port, Protocol};
use testkit::Sandbox;

/// How many frontends.
const FRONTENDS: [u32; 3] = [10, 10_000, 100_000];
/// How many applies of each; the fastest counts.
const RUNS: usize = 6;

/// The parts of an apply, as its steps tell them apart.
#[derive(Clone, Copy)]
struct Parts {
    /// Resolving, recovering, planning: before the first step.
    before: Duration,
    /// Building, filling, reading back, comparing, freezing.
    stage: Duration,
    /// Keeping image and set in the state directory.
    keep: Duration,
    /// The outer updates.
    insert: Duration,
    /// From the flip on.
    after: Duration,
}

fn main() {
    println!("| frontends | before | stage | an entry | keep | outer updates | flip and after |");
    println!("|---|---|---|---|---|---|---|");
    for frontends in FRONTENDS {
        // A sandbox changes the namespaces of its thread for good.
        let Parts { before, stage, keep, insert, after } =
            thread::spawn(move || fastest(frontends)).join().unwrap();
        let ms = |part: Duration| format!("{:.1} ms", part.as_secs_f64() * 1e3);
        let entry = stage.as_secs_f64() * 1e9 / f64::from(frontends);
        let (before, stage, keep, insert, after) = (ms(before), ms(stage), ms(keep), ms(insert), ms(after));
        println!("| {frontends} | {before} | {stage} | {entry:.0} ns | {keep} | {insert} | {after} |");
    }
}

fn fastest(frontends: u32) -> Parts {
    let sandbox = Sandbox::enter().expect("a sandbox needs root, cgroup v2 and `ip`");
    let node = Node::new(NodeDirs {
        cgroup: Some(sandbox.cgroup().to_owned()),
        bpffs: sandbox.bpffs(),
        state: sandbox.state(),
    });
    let sets = [set(frontends, 80), set(frontends, 81)];
    // The first load does more than a swap.
    once(&node, &sets[1]);
    let swaps = sets.iter().cycle().take(RUNS).map(|set| once(&node, set));
    swaps.min_by_key(|parts| parts.stage).unwrap()
}

fn once(node: &Node, set: &MapSet) -> Parts {
    let (begin, mut marks) = (Instant::now(), Vec::new());
    let options = ApplyOptions { node: "worker-1".to_owned(), ..ApplyOptions::default() };
    let image = Image::seal(vec![], None, None);
    node.apply(&image, set, &options, &mut |step: &Step| marks.push((step.clone(), Instant::now()))).unwrap();
    let end = Instant::now();
    let at = |wanted: fn(&Step) -> bool| {
        marks.iter().find(|(step, _)| wanted(step)).map_or(end, |(_, mark)| *mark)
    };
    let (load, keep) = (at(|step| *step == Step::Load), at(|step| matches!(step, Step::Keep { .. })));
    let build = at(|step| matches!(step, Step::Build { .. }));
    let pin = at(|step| matches!(step, Step::Pin { .. }));
    let insert = at(|step| matches!(step, Step::Insert { .. }));
    let announce = at(|step| matches!(step, Step::Announce { .. }));
    Parts {
        before: load - begin,
        stage: keep - build,
        keep: pin - keep,
        insert: announce - insert,
        after: end - announce,
    }
}

fn set(frontends: u32, port: u16) -> MapSet {
    let (to, at) = (Port::new(port).unwrap(), Port::new(8080).unwrap());
    let row = |number: u32| Row {
        frontend: Endpoint {
            address: Ipv4Addr::from_bits(u32::from_be_bytes([10, 128, 0, 0]) + number).into(),
            port: at,
            protocol: Protocol::Tcp,
        },
        policy: PolicyName { namespace: "default".into(), name: "bench".into() },
        service: None,
        outcome: Outcome::Redirect(vec![Backend { address: [10, 244, 1, 1].into(), port: to, pods: vec![] }]),
        skip_flag: false,
        skip: Arc::default(),
        fallback: Fallback::Original,
        clients: Clients::All,
        client_pods: Arc::default(),
    };
    (0..frontends).map(row).collect()
}

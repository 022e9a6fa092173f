//! Error E at call n, for every call of every command, on the twin of the kernel: the exit, the answer and
//! what a connect meets agree each time, and the next command works.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Backend, Frontend, Outcome, Row, ServiceName};
use lrpc_schema::image::{Clients, Fallback, Image, PolicyName, Port, Protocol};
use lrpc_schema::records::{Generation, Hook};
use tempfile::TempDir;

use super::existing::Concern;
use super::loaded::Found;
use super::{Applied, ApplyOptions, Error, Existing, Expect, Node, NodeDirs, Status, Unloaded};
use crate::kernel::cgroup::Cgroup;
use crate::kernel::sys::gate::{Failing, Script};
use crate::kernel::sys::twin::Twin;

/// What every call fails with in its turn. A call that a signal interrupts is made again.
const ERRORS: [i32; 8] = [
    libc::ENOMEM,
    libc::EMFILE,
    libc::EIO,
    libc::ENOSPC,
    libc::EACCES,
    libc::EROFS,
    libc::EAGAIN,
    libc::EINTR,
];

/// The errors that a call fails with in its turn: as many of them as `LRPC_FAULTS` says (1, 2, 4 or 8), by turns.
fn errors(call: usize) -> impl Iterator<Item = (usize, i32)> {
    let count = std::env::var("LRPC_FAULTS").ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    assert!([1, 2, 4, 8].contains(&count), "LRPC_FAULTS={count}");
    let stride = ERRORS.len() / count;
    ERRORS.into_iter().enumerate().filter(move |(number, _)| number % stride == call % stride)
}

/// The generation and the number of frontends that a connect meets.
type Served = Option<(Generation, usize)>;

struct World {
    folder: TempDir,
    twin: Arc<Twin>,
    node: Node,
    cgroup: u64,
}

impl World {
    fn new() -> Self {
        Self::on(Twin::default())
    }

    fn on(twin: Twin) -> Self {
        let folder = crate::fs::in_memory();
        let path = |name: &str| -> PathBuf { folder.path().join(name) };
        std::fs::create_dir(path("cgroup")).unwrap();
        let node =
            Node::new(NodeDirs { cgroup: Some(path("cgroup")), bpffs: path("pins"), state: path("state") });
        let twin = Arc::new(twin);
        let script = Script::new(None).on(Arc::clone(&twin));
        let cgroup = script.run(|| Cgroup::open(&path("cgroup")).unwrap().id());
        Self { folder, twin, node, cgroup }
    }

    /// Runs something on the twin, in which one call may fail; also tells how many calls there were.
    fn run<T>(&self, failing: Option<Failing>, work: impl FnOnce(&Node) -> T) -> (T, usize) {
        let script = Script::new(failing).on(Arc::clone(&self.twin));
        let done = script.run(|| work(&self.node));
        (done, script.calls().len())
    }

    fn apply(&self, frontends: u16) -> Result<Applied, Error> {
        self.run(None, |node| apply(node, frontends)).0
    }

    /// The generation and the number of frontends that a connect meets.
    fn served(&self) -> Served {
        self.twin.served(self.cgroup)
    }

    /// What is served, and nothing else than that, is what `status` says.
    #[track_caller]
    fn status_agrees(&self, context: &str) -> Status {
        let (status, _) = self.run(None, |node| node.status().unwrap());
        let said = status.active.as_ref().map(|active| (active.generation, active.frontends));
        assert_eq!(said, self.served(), "{context}: status and traffic");
        status
    }

    /// What is served where a hook is missing is not what is active, and `status` says both.
    #[track_caller]
    fn status_misses_a_hook(&self, active: Served, context: &str) {
        let (status, _) = self.run(None, |node| node.status().unwrap());
        let said = status.active.as_ref().map(|active| (active.generation, active.frontends));
        assert_eq!(said, active, "{context}");
        let missing: Vec<_> = status.differences.iter().map(|difference| &*difference.found).collect();
        assert_eq!(missing, ["missing"], "{context}");
    }

    /// The same as [`status_agrees`](Self::status_agrees), and `verify` finds it right.
    #[track_caller]
    fn agrees(&self, context: &str) {
        let status = self.status_agrees(context);
        if status.is_active {
            let verified = self.run(None, |node| node.verify(None).unwrap()).0;
            assert!(verified.ok && status.differences.is_empty(), "{context}: {:?}", verified.differences);
        }
    }

    /// Loses a hook's link: its pin is removed, which detaches it.
    fn lose(&self, hook: Hook) {
        std::fs::remove_file(self.folder.path().join("pins/links").join(hook.name())).unwrap();
        self.twin.detach(self.cgroup, hook);
    }

    /// What is pinned and remembered, and the kernel with it.
    fn snapshot(&self) -> Snapshot {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                let is_folder = entry.file_type().unwrap().is_dir();
                files.insert(entry.path(), (!is_folder).then(|| std::fs::read(entry.path()).unwrap()));
                if is_folder {
                    folders.push(entry.path());
                }
            }
        }
        Snapshot { files, twin: self.twin.copy() }
    }

    /// Makes everything as it was; the cgroup's directory stays, since links know its number.
    fn restore(&mut self, snapshot: &Snapshot) {
        for folder in ["pins", "state"] {
            match std::fs::remove_dir_all(self.folder.path().join(folder)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
        for (path, content) in &snapshot.files {
            match content {
                Some(content) => std::fs::write(path, content).unwrap(),
                None if path.exists() => {}
                None => DirBuilder::new().mode(0o700).create(path).unwrap(),
            }
        }
        self.twin = Arc::new(snapshot.twin.copy());
    }
}

/// A world as it was; directories have no content. Sorted, so that they come before what is in them.
struct Snapshot {
    files: BTreeMap<PathBuf, Option<Vec<u8>>>,
    twin: Twin,
}

/// A set that is told by the number of its frontends.
fn set(frontends: u16) -> MapSet {
    (1..=frontends).map(row).collect()
}

fn row(port: u16) -> Row {
    let backend: SocketAddr = "10.244.1.1:80".parse().unwrap();
    let port = Port::new(port).unwrap();
    Row {
        frontend: Frontend { address: [169, 254, 169, 254].into(), port, protocol: Protocol::Tcp },
        policy: PolicyName { namespace: "default".into(), name: "metadata".into() },
        service: None,
        outcome: Outcome::Redirect(vec![Backend {
            address: backend.ip(),
            port: Port::new(backend.port()).unwrap(),
            pods: vec![],
        }]),
        skip_flag: false,
        skip: Arc::default(),
        fallback: Fallback::Original,
        clients: Clients::All,
        client_pods: Arc::default(),
    }
}

fn options() -> ApplyOptions {
    ApplyOptions { node: "n1".to_owned(), ..ApplyOptions::default() }
}

fn image() -> Image {
    Image::seal(vec![], None, None)
}

fn apply(node: &Node, frontends: u16) -> Result<Applied, Error> {
    node.apply(&image(), &set(frontends), &options(), &mut |_| {})
}

/// What a command left behind: whether it says that it took effect.
trait Answer {
    /// The generation and frontends that it says are active now.
    fn active(&self) -> Option<(Generation, usize)>;
}

impl Answer for Applied {
    fn active(&self) -> Option<(Generation, usize)> {
        self.status.active.as_ref().map(|active| (active.generation, active.frontends))
    }
}

impl Answer for Unloaded {
    fn active(&self) -> Option<(Generation, usize)> {
        None
    }
}

/// Lets every call of `command` fail with every error, each in the world that `prepare` makes. `after` is what
/// a command that works leaves active. Returns what was served after errors.
fn sweep<A: Answer>(
    what: &str,
    prepare: impl Fn(&World),
    command: impl Fn(&Node) -> Result<A, Error>,
    after: Option<usize>,
) -> BTreeSet<Served> {
    let mut world = World::new();
    prepare(&world);
    let before = world.served();
    // What is active, and served once no hook is missing.
    let status = world.run(None, |node| node.status().unwrap()).0;
    let mended = status.active.map(|active| (active.generation, active.frontends));
    let snapshot = world.snapshot();
    let (answer, calls) = world.run(None, &command);
    assert_eq!(answer.unwrap().active().map(|(_, frontends)| frontends), after, "{what}");
    assert!(calls > 20, "{what}: only {calls} calls");
    let (mut left, mut done) = (BTreeSet::new(), 0);
    for call in 0..calls {
        for (number, errno) in errors(call) {
            world.restore(&snapshot);
            let (answer, _) = world.run(Some(Failing { call, errno }), &command);
            let context = format!("{what}, call {call}, {}", std::io::Error::from_raw_os_error(errno));
            let is_unmended = match answer {
                // What it says is what is served.
                Ok(answer) => {
                    done += 1;
                    assert_eq!(world.served(), answer.active(), "{context}");
                    assert_eq!(world.served().map(|(_, frontends)| frontends), after, "{context}");
                    false
                }
                // An error says that nothing changed, but that what is active may be mended.
                Err(error) => {
                    let served = world.served();
                    assert!(
                        [before, mended].contains(&served),
                        "{context}: {served:?}, {}",
                        error.with_causes()
                    );
                    left.insert(served);
                    served != mended
                }
            };
            // What comes next does not depend on the error's number.
            if number == call % ERRORS.len() {
                match is_unmended {
                    true => world.status_misses_a_hook(mended, &context),
                    false => drop(world.status_agrees(&context)),
                }
                let next =
                    world.apply(9).unwrap_or_else(|error| panic!("{context}: {}", error.with_causes()));
                assert!(next.troubles.is_empty(), "{context}: {:?}", next.troubles);
                assert_eq!(world.served(), next.active(), "{context}");
                world.agrees(&context);
            }
        }
    }
    assert!(!left.is_empty() && done > 0, "{what}: {left:?}, {done} done");
    left
}

#[test]
fn every_call_of_a_first_load_may_fail() {
    sweep("first load", |_| {}, |node| apply(node, 2), Some(2));
}

#[test]
fn every_call_of_a_swap_may_fail() {
    let prepare = |world: &World| {
        // Two resident generations and a surplus one, so that every kind of step is taken.
        for frontends in [1, 2, 1] {
            world.apply(frontends).unwrap();
        }
    };
    sweep("swap", prepare, |node| apply(node, 3), Some(3));
}

/// Looking for connections comes after the commit: whatever keeps it from them is a trouble, and told.
#[test]
fn every_call_that_looks_for_connections_may_fail() {
    let world = World::new();
    world.apply(1).unwrap();
    let look = |failing| {
        let script = Script::new(failing).on(Arc::clone(&world.twin));
        let ((count, troubles), _) = world.run(None, |node| {
            let writer = node.existing_writer().unwrap().unwrap();
            let cgroup = node.cgroup().unwrap();
            let found = Found::read(&writer).unwrap();
            let concern = Concern::of(&found, &[]).unwrap();
            script.run(|| concern.close(&writer, &cgroup))
        });
        assert_eq!((count.kept, count.closed), (0, 0));
        (script.calls(), troubles)
    };
    let (calls, troubles) = look(None);
    assert!(troubles.is_empty(), "{troubles:?}");
    for name in ["getdents64(2)", "bpf(BPF_OBJ_GET)", "clone3(2)", "socket(2)", "sendto(2)", "recvfrom(2)"] {
        assert!(calls.contains(&name), "{calls:?}");
    }
    let listed = calls.iter().rposition(|name| *name == "recvfrom(2)").unwrap();
    for (call, name) in calls.iter().enumerate() {
        for (_, errno) in errors(call).filter(|(_, errno)| *errno != libc::EINTR) {
            let (_, troubles) = look(Some(Failing { call, errno }));
            // Which namespace it is decides about some connections only, and here is none.
            let is_told = !troubles.is_empty() || call > listed;
            let error = std::io::Error::from_raw_os_error(errno);
            // Without a number its own namespace would be looked into twice.
            assert!(
                is_told || (*name == "stat(2)" && call + 1 < calls.len()),
                "call {call}, {name}, {error}"
            );
        }
    }
}

#[test]
fn every_call_of_a_rollback_may_fail() {
    let prepare = |world: &World| {
        world.apply(1).unwrap();
        world.apply(2).unwrap();
    };
    sweep("rollback", prepare, |node| node.rollback(None, Existing::Keep), Some(1));
}

#[test]
fn every_call_of_an_unload_may_fail() {
    let prepare = |world: &World| {
        world.apply(1).unwrap();
        world.apply(2).unwrap();
    };
    sweep("unload", prepare, Node::unload, None);
}

#[test]
fn every_call_of_a_mend_may_fail() {
    let prepare = |world: &World| {
        world.apply(1).unwrap();
        world.apply(2).unwrap();
        world.lose(Hook::Getpeername4);
    };
    sweep("rollback with a hook missing", prepare, |node| node.rollback(None, Existing::Keep), Some(1));
}

/// Without the forward hook nothing is redirected. An error leaves it so, or what is active mended, and no other
/// set.
#[test]
fn every_call_of_a_mend_of_the_forward_hook_may_fail() {
    let prepare = |world: &World| {
        world.apply(1).unwrap();
        world.apply(2).unwrap();
        world.lose(Hook::Connect4);
        assert_eq!(world.served(), None);
    };
    let either = [None, Some((Generation::new(2).unwrap(), 2))].into();
    let left = sweep(
        "rollback without the forward hook",
        prepare,
        |node| node.rollback(None, Existing::Keep),
        Some(1),
    );
    assert_eq!(left, either);
    let left = sweep("apply without the forward hook", prepare, |node| apply(node, 3), Some(3));
    assert_eq!(left, either);
}

#[test]
fn every_call_of_a_status_may_fail() {
    let world = World::new();
    world.apply(2).unwrap();
    let (_, calls) = world.run(None, |node| node.status().unwrap());
    for call in 0..calls {
        for errno in ERRORS {
            let (answer, _) = world.run(Some(Failing { call, errno }), Node::status);
            let context = format!("call {call}, error {errno}");
            // It says what is served, or that it cannot say.
            if let Ok(status) = answer {
                let said = status.active.map(|active| (active.generation, active.frontends));
                assert!(said == world.served() || !status.differences.is_empty(), "{context}: {said:?}");
            }
            world.agrees(&context);
        }
    }
}

/// Fault 17: what is served goes on until its successor takes over, whatever a command without one does.
#[test]
fn a_lost_cell_pin_costs_no_traffic() {
    let cell = |world: &World| world.folder.path().join("pins/v2/cell");
    let world = World::new();
    world.apply(2).unwrap();
    std::fs::remove_file(cell(&world)).unwrap();
    let before = world.served();
    let expected = Some(Expect::Digest(image().digest()));
    let expect = ApplyOptions { expect: expected, ..options() };
    let refused = world.run(None, |node| node.apply(&image(), &set(3), &expect, &mut |_| {})).0;
    assert!(matches!(refused, Err(Error::Expectation { found: None, .. })), "{refused:?}");
    let refused = world.run(None, |node| node.rollback(None, Existing::Keep)).0;
    assert!(matches!(refused, Err(Error::Orphaned("cell"))), "{refused:?}");
    assert_eq!(world.served(), before);
    let status = world.run(None, |node| node.status().unwrap()).0;
    assert!(!status.is_active && status.differences.len() == 1, "{status:?}");
    let next = world.apply(4).unwrap();
    assert_eq!(next.active().map(|(_, frontends)| frontends), Some(4));
    assert_eq!(world.served(), next.active());
    world.agrees("after the successor");
    let lost = |world: &World| {
        world.apply(2).unwrap();
        std::fs::remove_file(cell(world)).unwrap();
    };
    let mut world = World::new();
    lost(&world);
    let before = world.served();
    let snapshot = world.snapshot();
    let (_, calls) = world.run(None, |node| apply(node, 3).unwrap());
    for call in 0..calls {
        world.restore(&snapshot);
        let (answer, _) = world.run(Some(Failing { call, errno: libc::EIO }), |node| apply(node, 3));
        match answer {
            Ok(answer) => assert_eq!(world.served(), answer.active(), "call {call}"),
            Err(_) => assert_eq!(world.served(), before, "call {call}"),
        }
        assert_eq!(world.apply(4).unwrap().active(), world.served(), "call {call}");
    }
}

/// Fault 15: a map of the cell's shape in the place of the cell's pin is not believed.
#[test]
fn another_map_in_the_place_of_the_cell_is_noticed() {
    let world = World::new();
    world.apply(1).unwrap();
    world.apply(2).unwrap();
    // The programs of another instance on the same twin are served by another cell.
    let other = World::on_twin_of(&world);
    other.apply(3).unwrap();
    let pin = |world: &World| world.folder.path().join("pins/v2/cell");
    std::fs::copy(pin(&other), pin(&world)).unwrap();
    let before = world.served();
    let status = world.run(None, |node| node.status().unwrap()).0;
    assert!(!status.is_active && !status.differences.is_empty(), "{status:?}");
    assert!(!world.run(None, |node| node.verify(None).unwrap()).0.ok);
    let refused = world.run(None, |node| node.rollback(None, Existing::Keep)).0;
    assert!(matches!(refused, Err(Error::Orphaned(_))), "{refused:?}");
    assert_eq!(world.served(), before);
    world.apply(4).unwrap();
    world.agrees("after an apply");
}

impl World {
    /// Another instance on the same kernel.
    fn on_twin_of(other: &Self) -> Self {
        let mut world = Self::new();
        world.twin = Arc::clone(&other.twin);
        world
    }
}

/// Fault 13: where `BPF_F_BEFORE` is unknown ours may come behind others, until a Service policy needs the
/// first place.
#[test]
fn a_service_policy_is_refused_behind_others_at_every_apply() {
    let world = World::on(Twin::older_than_6_16());
    world.twin.attach_stranger(world.cgroup, Hook::Connect4);
    let served = || Some(row(1));
    let of_service = |mut row: Row| {
        row.service = Some(ServiceName { namespace: "default".into(), name: "metadata".into() });
        row
    };
    let services: MapSet = served().into_iter().map(of_service).collect();
    let apply_services = |node: &Node| node.apply(&image(), &services, &options(), &mut |_| {});
    let refused = world.run(None, apply_services).0;
    assert!(matches!(refused, Err(Error::Behind { others: 1, .. })), "{refused:?}");
    world.apply(2).unwrap();
    let refused = world.run(None, apply_services).0;
    assert!(matches!(refused, Err(Error::Behind { hook: Hook::Connect4, others: 1 })), "{refused:?}");
    assert_eq!(world.run(None, |node| node.status().unwrap()).0.active.unwrap().frontends, 2);
}

/// The same where another tool came before ours later.
#[test]
fn a_neighbour_that_comes_before_ours_is_said() {
    let world = World::new();
    let mut service = row(1);
    service.service = Some(ServiceName { namespace: "default".into(), name: "metadata".into() });
    let services: MapSet = [service].into_iter().collect();
    world.run(None, |node| node.apply(&image(), &services, &options(), &mut |_| {}).unwrap());
    world.agrees("alone");
    world.twin.attach_stranger(world.cgroup, Hook::Connect4);
    let differences = world.run(None, |node| node.status().unwrap()).0.differences;
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].found.contains("behind 1 program"), "{differences:?}");
    assert!(!world.run(None, |node| node.verify(None).unwrap()).0.ok);
    assert_eq!(world.twin.attached(), Hook::ALL.len() + 1);
}

/// What serves another cgroup stays there, and is told from where the rollback would go.
#[test]
fn a_rollback_to_another_cgroup_names_both() {
    let world = World::new();
    world.apply(1).unwrap();
    std::fs::remove_dir_all(world.folder.path().join("pins/links")).unwrap();
    let below = world.folder.path().join("other/cgroup");
    std::fs::create_dir_all(&below).unwrap();
    let there = Node { cgroup: Some(below.clone()), ..world.node.clone() };
    world.run(None, |_| apply(&there, 2).unwrap());
    let refused = world.run(None, |node| node.rollback(None, Existing::Keep)).0;
    let Err(Error::OtherCgroup { loaded, wanted }) = refused else { panic!("{refused:?}") };
    assert_eq!((PathBuf::from(loaded), wanted), (below, world.folder.path().join("cgroup")));
}

/// Fault 12: without `--to`, the set that was active before the present one.
#[test]
fn a_rollback_does_not_go_to_a_withdrawn_set() {
    let world = World::new();
    let keep = ApplyOptions { keep: Some(3), ..options() };
    let apply = |frontends| {
        world.run(None, |node| node.apply(&image(), &set(frontends), &keep, &mut |_| {}).unwrap()).0
    };
    let rollback = || world.run(None, |node| node.rollback(None, Existing::Keep).unwrap()).0;
    apply(1);
    apply(2);
    rollback();
    apply(3);
    assert_eq!(rollback().active().map(|(_, frontends)| frontends), Some(1));
    assert_eq!(rollback().active().map(|(_, frontends)| frontends), Some(3), "and back");
}

/// What is said can be done: where only the active set is resident, none can be named by `--to`.
#[test]
fn a_rollback_from_the_only_set_says_what_else_there_is() {
    let world = World::new();
    let keep = ApplyOptions { keep: Some(3), ..options() };
    let apply = |frontends| {
        world.run(None, |node| node.apply(&image(), &set(frontends), &keep, &mut |_| {}).unwrap()).0
    };
    let refused = || world.run(None, |node| node.rollback(None, Existing::Keep)).0.unwrap_err();
    apply(1);
    let error = refused();
    assert_eq!(error.to_string(), "no resident generation is earlier than 1; resident: 1");
    assert!(error.remedy().unwrap().starts_with("there is nothing to go back to"), "{error}");
    // Of three sets, what was active before the present one is lost.
    apply(2);
    apply(3);
    std::fs::remove_dir_all(world.folder.path().join("pins/v2/generations/2")).unwrap();
    assert_eq!(refused().remedy().as_deref(), Some("name one by --to"));
}

/// Fault 16: a number that leaves no room for another one is memory, and only memory.
#[test]
fn a_history_that_names_the_last_generation_is_not_believed() {
    let world = World::new();
    world.apply(1).unwrap();
    let history = world.folder.path().join("state/history.jsonl");
    let line = std::fs::read_to_string(&history).unwrap();
    let last = format!("\"generation\":{}", (1_u64 << 48) - 1);
    std::fs::write(&history, line.replace("\"generation\":1", &last)).unwrap();
    let applied = world.apply(2).unwrap();
    assert_eq!(applied.active(), world.served());
    world.agrees("after it");
}

/// A node's generation was made for another name of it.
#[test]
fn another_node_is_refused_unless_it_is_meant() {
    let world = World::new();
    let digest = world.apply(1).unwrap().status.active.unwrap().digest;
    let other = ApplyOptions { node: "n2".to_owned(), ..options() };
    let apply = |options: &ApplyOptions| {
        world.run(None, |node| node.apply(&image(), &set(2), options, &mut |_| {})).0
    };
    let refused = apply(&other);
    let Err(error @ Error::OtherNode { .. }) = refused else { panic!("{refused:?}") };
    assert!(error.remedy().unwrap().contains("--node n1"), "{error}");
    assert!(error.remedy().unwrap().contains(&digest.to_string()), "{error}");
    let meant = ApplyOptions { expect: Some(Expect::Digest(digest)), ..other };
    assert_eq!(apply(&meant).unwrap().active(), world.served());
}

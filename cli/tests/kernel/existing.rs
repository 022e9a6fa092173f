//! What becomes of connections that exist when the set changes (L10): those that the change concerns are closed
//! in every network namespace, and no other.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::Test;
use crate::world::{NODE, Run, World, address_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("connections_straight_to_a_new_frontend_are_closed", connections_straight_to_a_new_frontend_are_closed),
    ("connections_to_a_lost_backend_are_closed", connections_to_a_lost_backend_are_closed),
    ("connections_are_kept_unless_asked", connections_are_kept_unless_asked),
    ("a_rollback_closes_what_it_concerns", a_rollback_closes_what_it_concerns),
    ("what_cannot_be_looked_into_is_said", what_cannot_be_looked_into_is_said),
];

/// The backend, whose ports 80 and 81 are two servers.
const BACKEND: &str = "10.244.1.10";
/// The frontends, all at port 8080: of the first two the backend changes, of the third it stays.
const TCP: &str = "169.254.169.254";
const UDP: &str = "169.254.169.253";
const STAYS: &str = "169.254.169.252";

/// What a program hears on a connection that was destroyed.
const CLOSED: &str = "ECONNABORTED";

/// A process that serves on its loopback interface and holds connections there. It ends with its test.
struct Pod {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// In which network namespace a process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Net {
    /// The sandbox's.
    Node,
    /// Its own.
    Own,
}

impl Pod {
    fn start(cgroup: Option<&Path>, net: Net) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/existing/pod.py");
        let enter = if cgroup.is_some() { r#"echo $$ > "$0/cgroup.procs" && "# } else { "" };
        let unshare = if net == Net::Own { "unshare --net " } else { "" };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!(r#"{enter}exec {unshare}python3 -u "$1""#));
        shell.arg(cgroup.unwrap_or(Path::new("-"))).arg(script);
        let mut process = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut pod = Self { process, orders, answers: BufReader::new(answers) };
        for (address, port, name) in [
            (BACKEND, 80, "old"),
            (BACKEND, 81, "new"),
            (TCP, 8080, "original"),
            (UDP, 8080, "original"),
            (STAYS, 8080, "original"),
        ] {
            // The servers of the node's namespace serve for all in it.
            let served = pod.order(&format!("serve {address} {port} {name}"));
            assert!(["serves", "EADDRINUSE"].contains(&&*served), "{served}");
        }
        pod
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").unwrap();
        let mut line = String::new();
        assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the pod is gone: {order}");
        line.trim_end().to_owned()
    }

    /// Opens a connection that this server answers, and gives its number.
    #[track_caller]
    fn open(&mut self, protocol: &str, address: &str, port: u16, server: &str) -> usize {
        let said = self.order(&format!("open {protocol} {address} {port}"));
        let (number, answer) = said.split_once(' ').unwrap_or_else(|| panic!("{said}"));
        assert_eq!(answer, server, "{protocol} {address}");
        number.parse().unwrap()
    }

    /// Who answers on a connection, or the error that it gives.
    fn ask(&mut self, number: usize) -> String {
        self.order(&format!("ask {number}"))
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Scene {
    world: World,
    inventory: String,
    /// Sets that differ by the backend of two of three frontends.
    old: String,
    new: String,
    /// A process of the node and two of pods.
    pods: Vec<Pod>,
    /// Two that are in no cgroup of the sandbox.
    outsiders: Vec<Pod>,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let inventory = world.inventory(&[("proxy", BACKEND, &[80, 81])]);
        let policies = |port| {
            [
                address_policy("tcp", (TCP, 8080, "TCP"), port, ""),
                address_policy("udp", (UDP, 8080, "UDP"), port, ""),
                address_policy("stays", (STAYS, 8080, "TCP"), 80, ""),
            ]
            .join("---\n")
        };
        let (old, new) = (world.image("old", &policies(80)), world.image("new", &policies(81)));
        let cgroup = world.sandbox.cgroup().to_owned();
        let pods = [Net::Node, Net::Own, Net::Own].map(|net| Pod::start(Some(&cgroup), net)).into();
        let outsiders = [Net::Node, Net::Own].map(|net| Pod::start(None, net)).into();
        Self { world, inventory, old, new, pods, outsiders }
    }

    fn apply(&self, image: &str, more: &[&str]) -> Value {
        self.world.apply(image, &self.inventory, more).ends(0).json()
    }

    /// What a dry run says of existing connections.
    fn preview(&self, image: &str, existing: &str) -> Value {
        self.apply(image, &["--dry-run", "--existing", existing])["existing"].clone()
    }

    /// What a comparison with this node says of existing connections.
    fn differ(&self, old: &str, new: &str) -> Value {
        let arguments = ["diff", old, new, "--inventory", &self.inventory, "--node", NODE];
        let said = self.world.lrpc(&arguments).ends(1).stdout;
        let counted = self.world.lrpc(&[&arguments[..], &["--format", "json"]].concat()).ends(1).json();
        let counted = counted["existing"].clone();
        let words = format!("{} existing connections of this node are concerned", counted["concerned"]);
        assert!(said.contains(&words), "{said}");
        counted
    }

    /// Opens, in every pod, a connection to each of the frontends that change, which this server answers.
    #[track_caller]
    fn open(&mut self, server: &str) -> Vec<[usize; 2]> {
        let open = |pod: &mut Pod| [pod.open("tcp", TCP, 8080, server), pod.open("udp", UDP, 8080, server)];
        self.pods.iter_mut().map(open).collect()
    }

    /// Asks on every connection of the pods.
    #[track_caller]
    fn hear(&mut self, connections: &[[usize; 2]], expected: &str) {
        for (pod, connections) in self.pods.iter_mut().zip(connections) {
            assert_eq!(connections.map(|number| pod.ask(number)), [expected, expected]);
        }
    }
}

fn count(kept: u64, closed: u64) -> Value {
    json!({"kept": kept, "closed": closed})
}

/// Before the first load every connection goes straight. Those to a frontend are closed, of IPv4 and IPv6
/// sockets; one straight to the backend stays, and whatever is not below the cgroup.
fn connections_straight_to_a_new_frontend_are_closed() {
    let mut scene = Scene::new();
    let straight = scene.open("original");
    let mapped: Vec<_> = scene
        .pods
        .iter_mut()
        .map(|pod| pod.open("tcp", &format!("::ffff:{TCP}"), 8080, "original"))
        .collect();
    let bystanders: Vec<_> = scene.pods.iter_mut().map(|pod| pod.open("tcp", BACKEND, 80, "old")).collect();
    let foreign: Vec<_> =
        scene.outsiders.iter_mut().map(|pod| pod.open("tcp", TCP, 8080, "original")).collect();
    let old = scene.old.clone();
    assert_eq!(scene.preview(&old, "close"), count(0, 9));
    assert_eq!(scene.preview(&old, "keep"), count(9, 0));
    assert_eq!(scene.differ("live", &old), json!({"concerned": 9, "troubles": []}));
    scene.hear(&straight, "original");

    let applied = scene.apply(&old, &["--existing", "close"]);
    assert_eq!((&applied["existing"], &applied["troubles"]), (&count(0, 9), &json!([])));
    scene.hear(&straight, CLOSED);
    for ((pod, mapped), bystander) in scene.pods.iter_mut().zip(mapped).zip(bystanders) {
        assert_eq!((pod.ask(mapped), pod.ask(bystander)), (CLOSED.to_owned(), "old".to_owned()));
    }
    for (pod, number) in scene.outsiders.iter_mut().zip(foreign) {
        assert_eq!(pod.ask(number), "original", "a socket of no cgroup of ours");
    }
    let again = scene.open("old");
    scene.hear(&again, "old");
}

/// Connections that were redirected are closed where their backend is gone. A connection to another frontend
/// with the same backend stays, and so does one straight to the backend.
fn connections_to_a_lost_backend_are_closed() {
    let mut scene = Scene::new();
    let (old, new) = (scene.old.clone(), scene.new.clone());
    scene.apply(&old, &[]);
    let lost = scene.open("old");
    let bystanders: Vec<_> = scene
        .pods
        .iter_mut()
        .map(|pod| [pod.open("tcp", STAYS, 8080, "old"), pod.open("tcp", BACKEND, 80, "old")])
        .collect();
    let foreign: Vec<_> =
        scene.outsiders.iter_mut().map(|pod| pod.open("tcp", TCP, 8080, "original")).collect();
    assert_eq!(scene.preview(&new, "close"), count(0, 6));
    assert_eq!(scene.differ("live", &new)["concerned"], 6);
    let applied = scene.apply(&new, &["--existing", "close"]);
    assert_eq!((&applied["existing"], &applied["troubles"]), (&count(0, 6), &json!([])));
    scene.hear(&lost, CLOSED);
    scene.hear(&bystanders, "old");
    for (pod, number) in scene.outsiders.iter_mut().zip(foreign) {
        assert_eq!(pod.ask(number), "original");
    }
    let again = scene.open("new");
    // The same set again concerns nobody.
    assert_eq!(scene.apply(&new, &["--existing", "close"])["existing"], count(0, 0));
    scene.hear(&again, "new");
}

/// Without `--existing close` nothing is closed, and what a change has left is no concern of the next.
fn connections_are_kept_unless_asked() {
    let mut scene = Scene::new();
    let (old, new) = (scene.old.clone(), scene.new.clone());
    scene.apply(&old, &[]);
    let kept = scene.open("old");
    let preview =
        scene.world.lrpc(&["apply", &new, "--inventory", &scene.inventory, "--node", NODE, "--dry-run"]);
    let preview = preview.ends(0).stdout;
    assert!(preview.contains("6 existing connections would stay as they are"), "{preview}");
    assert_eq!(scene.apply(&new, &[])["existing"], count(0, 0));
    scene.hear(&kept, "old");
    // They are what a comparison with the set before says.
    assert_eq!(scene.differ(&old, "live")["concerned"], 6);
    let removed = scene.world.image("less", &address_policy("tcp", (TCP, 8080, "TCP"), 81, ""));
    assert_eq!(scene.apply(&removed, &["--existing", "close"])["existing"], count(0, 3), "the UDP ones");
    for (pod, [tcp, udp]) in scene.pods.iter_mut().zip(&kept) {
        assert_eq!((pod.ask(*tcp), pod.ask(*udp)), ("old".to_owned(), CLOSED.to_owned()));
    }
}

fn a_rollback_closes_what_it_concerns() {
    let mut scene = Scene::new();
    let (old, new) = (scene.old.clone(), scene.new.clone());
    scene.apply(&old, &[]);
    scene.apply(&new, &[]);
    let lost = scene.open("new");
    let back = scene.world.lrpc(&["rollback", "--existing", "close", "--format", "json"]).ends(0).json();
    assert_eq!((&back["existing"], &back["generation"]), (&count(0, 6), &json!(1)));
    scene.hear(&lost, CLOSED);
    let said = scene.world.lrpc(&["rollback"]).ends(0).stdout;
    assert!(!said.contains("closed"), "{said}");
}

/// With the two capabilities of every apply only the node's own namespace can be looked into. The apply goes on,
/// closes what it can, and names the others.
fn what_cannot_be_looked_into_is_said() {
    let mut scene = Scene::new();
    let (old, new) = (scene.old.clone(), scene.new.clone());
    scene.apply(&old, &[]);
    let lost = scene.open("old");
    let apply = |image: &str, more: &str| -> Run {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", &format!("-all,+bpf,+net_admin{more}"), "--no-new-privs", lrpc()]);
        command.args(["apply", image, "--inventory", &scene.inventory, "--node", NODE]);
        command.args(["--existing", "close", "--format", "json"]).args(scene.world.sandbox.options());
        run(&mut command).ends(0)
    };
    let applied = apply(&new, "");
    let (said, troubles) = (applied.stderr.clone(), applied.json()["troubles"].to_string());
    assert_eq!(applied.json()["existing"], count(0, 2));
    let ids: Vec<u32> = scene.pods.iter().map(|pod| pod.process.id()).collect();
    for id in &ids[1..] {
        assert!(troubles.contains(&format!("process {id} (python3)")), "{troubles}");
    }
    assert!(said.contains("warning: the swap is done") && said.contains("CAP_SYS_ADMIN"), "{said}");

    // Who may see which namespaces there are names them by their numbers.
    let applied = apply(&old, ",+sys_ptrace").json();
    let troubles = applied["troubles"].to_string();
    for id in &ids[1..] {
        let namespace = std::fs::read_link(format!("/proc/{id}/ns/net")).unwrap();
        assert!(
            troubles.contains(&format!("{} of process {id} (python3)", namespace.display())),
            "{troubles}"
        );
    }
    assert!(!troubles.contains(&format!("process {} ", ids[0])), "it was looked at: {troubles}");

    let [node, pod] = [0, 1].map(|index| lost[index].map(|number| scene.pods[index].ask(number)));
    assert_eq!((node, pod), ([CLOSED; 2].map(str::to_owned), ["old"; 2].map(str::to_owned)));
}

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
    ("connections_of_no_client_are_left_alone", connections_of_no_client_are_left_alone),
    ("the_backends_own_connections_are_left_alone", the_backends_own_connections_are_left_alone),
    ("what_cannot_be_looked_into_is_said", what_cannot_be_looked_into_is_said),
];

/// The backend, whose ports 80 and 81 are two servers.
const BACKEND: [&str; 2] = ["10.244.1.10", "fd00:10::10"];
/// The frontends, all at port 8080: of the first three the backend changes, of the last it stays.
const TCP: &str = "169.254.169.254";
const UDP: &str = "169.254.169.253";
const BOTH6: &str = "fd00:fe::254";
const STAYS: &str = "169.254.169.252";

/// The connections that each process makes to the frontends that change: from sockets of both families and
/// protocols, with IPv4-mapped addresses too.
const CONNECTIONS: [(&str, &str); 6] = [
    ("tcp", TCP),
    ("udp", UDP),
    ("tcp", "::ffff:169.254.169.254"),
    ("udp", "::ffff:169.254.169.253"),
    ("tcp", BOTH6),
    ("udp", BOTH6),
];
/// How many they are in all pods.
const ALL: u64 = 18;

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
            (BACKEND[0], 80, "old"),
            (BACKEND[0], 81, "new"),
            (BACKEND[1], 80, "old"),
            (BACKEND[1], 81, "new"),
            (TCP, 8080, "original"),
            (UDP, 8080, "original"),
            (BOTH6, 8080, "original"),
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
        let (number, answer) = said.split_once(' ').unwrap_or_else(|| panic!("{protocol} {address}: {said}"));
        assert_eq!(answer, server, "{protocol} {address}");
        number.parse().unwrap()
    }

    /// Who answers on a connection, or the error that it gives.
    fn ask(&mut self, number: usize) -> String {
        self.order(&format!("ask {number}"))
    }

    /// The same on some.
    #[track_caller]
    fn hear(&mut self, connections: &[usize], expected: &str) {
        for number in connections {
            assert_eq!(self.ask(*number), expected, "connection {number}");
        }
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
        let inventory = world.file("inventory.yaml", &inventory()).display().to_string();
        let policies = |port| policies(port, "");
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

    /// Opens, in every pod, connections to the frontends that change, which this server answers.
    #[track_caller]
    fn open(&mut self, server: &str) -> Vec<Vec<usize>> {
        let open = |pod: &mut Pod| {
            let open = |(protocol, address)| pod.open(protocol, address, 8080, server);
            CONNECTIONS.into_iter().map(open).collect()
        };
        self.pods.iter_mut().map(open).collect()
    }

    /// Asks on connections of each of the pods.
    #[track_caller]
    fn hear(&mut self, connections: &[Vec<usize>], expected: &str) {
        for (pod, connections) in self.pods.iter_mut().zip(connections) {
            pod.hear(connections, expected);
        }
    }
}

/// The node and its backend, which has addresses of both families.
fn inventory() -> String {
    let [v4, v6] = BACKEND;
    format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: {NODE}}}\n\
         ---\napiVersion: v1\nkind: Pod\n\
         metadata: {{name: proxy, namespace: default, uid: uid-proxy, labels: {{app: proxy}}}}\n\
         spec: {{nodeName: {NODE}, containers: [{{name: c}}]}}\n\
         status: {{phase: Running, podIP: {v4}, podIPs: [{{ip: {v4}}}, {{ip: \"{v6}\"}}], \
         conditions: [{{type: Ready, status: \"True\"}}]}}\n"
    )
}

/// The frontends that change go to a port of the backend.
fn policies(port: u16, annotation: &str) -> String {
    [
        address_policy("tcp", (TCP, 8080, "TCP"), port, annotation),
        address_policy("udp", (UDP, 8080, "UDP"), port, annotation),
        address_policy("tcp6", (BOTH6, 8080, "TCP"), port, annotation),
        address_policy("udp6", (BOTH6, 8080, "UDP"), port, annotation),
        address_policy("stays", (STAYS, 8080, "TCP"), 80, annotation),
    ]
    .join("---\n")
}

fn count(kept: u64, closed: u64) -> Value {
    json!({"kept": kept, "closed": closed})
}

/// Before the first load every connection goes straight. Those to a frontend are closed, of IPv4 and IPv6
/// sockets; one straight to the backend stays, and whatever is not below the cgroup.
fn connections_straight_to_a_new_frontend_are_closed() {
    let mut scene = Scene::new();
    let straight = scene.open("original");
    let bystanders: Vec<_> =
        scene.pods.iter_mut().map(|pod| pod.open("tcp", BACKEND[0], 80, "old")).collect();
    let foreign: Vec<_> =
        scene.outsiders.iter_mut().map(|pod| pod.open("tcp", TCP, 8080, "original")).collect();
    let old = scene.old.clone();
    assert_eq!(scene.preview(&old, "close"), count(0, ALL));
    assert_eq!(scene.preview(&old, "keep"), count(ALL, 0));
    let steps = scene.apply(&old, &["--dry-run", "--existing", "close"])["steps"].clone();
    let step = |what: &str| {
        steps.as_array().unwrap().iter().position(|step| step.as_str().unwrap().starts_with(what))
    };
    assert!(step("flip the cell") < step("close the connections"), "{steps}");
    assert_eq!(scene.differ("live", &old), json!({"concerned": ALL, "troubles": []}));
    scene.hear(&straight, "original");

    let applied = scene.apply(&old, &["--existing", "close"]);
    assert_eq!((&applied["existing"], &applied["troubles"]), (&count(0, ALL), &json!([])));
    scene.hear(&straight, CLOSED);
    for (pod, bystander) in scene.pods.iter_mut().zip(bystanders) {
        assert_eq!(pod.ask(bystander), "old");
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
        .map(|pod| vec![pod.open("tcp", STAYS, 8080, "old"), pod.open("tcp", BACKEND[0], 80, "old")])
        .collect();
    let foreign: Vec<_> =
        scene.outsiders.iter_mut().map(|pod| pod.open("tcp", TCP, 8080, "original")).collect();
    assert_eq!(scene.preview(&new, "close"), count(0, ALL));
    assert_eq!(scene.differ("live", &new)["concerned"], ALL);
    let applied = scene.apply(&new, &["--existing", "close"]);
    assert_eq!((&applied["existing"], &applied["troubles"]), (&count(0, ALL), &json!([])));
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
    assert!(preview.contains("18 existing connections would stay as they are"), "{preview}");
    assert_eq!(scene.apply(&new, &[])["existing"], count(0, 0));
    scene.hear(&kept, "old");
    // They are what a comparison with the set before says.
    assert_eq!(scene.differ(&old, "live")["concerned"], ALL);
    let removed = scene.world.image("less", &address_policy("tcp", (TCP, 8080, "TCP"), 81, ""));
    assert_eq!(scene.apply(&removed, &["--existing", "close"])["existing"], count(0, 12), "all but TCP's");
    for (pod, kept) in scene.pods.iter_mut().zip(&kept) {
        let (of_tcp, others): (Vec<usize>, Vec<usize>) =
            kept.iter().partition(|number| [0, 2].contains(*number));
        pod.hear(&of_tcp, "old");
        pod.hear(&others, CLOSED);
    }
}

fn a_rollback_closes_what_it_concerns() {
    let mut scene = Scene::new();
    let (old, new) = (scene.old.clone(), scene.new.clone());
    scene.apply(&old, &[]);
    scene.apply(&new, &[]);
    let lost = scene.open("new");
    let back = scene.world.lrpc(&["rollback", "--existing", "close", "--format", "json"]).ends(0).json();
    assert_eq!((&back["existing"], &back["generation"]), (&count(0, ALL), &json!(1)));
    scene.hear(&lost, CLOSED);
    let said = scene.world.lrpc(&["rollback"]).ends(0).stdout;
    assert!(!said.contains("closed"), "{said}");
}

/// L6: a policy for pods only leaves connections in the node's own network namespace alone.
fn connections_of_no_client_are_left_alone() {
    let mut scene = Scene::new();
    let straight = scene.open("original");
    let pods = scene.world.image("pods", &policies(80, r#"lrpc.dev/clients: "pods""#));
    let applied = scene.apply(&pods, &["--existing", "close", "--node-netns", "self"]);
    assert_eq!(applied["existing"], count(0, 12));
    let (node, others) = scene.pods.split_first_mut().unwrap();
    node.hear(&straight[0], "original");
    for (pod, straight) in others.iter_mut().zip(&straight[1..]) {
        pod.hear(straight, CLOSED);
    }
}

/// L8: a backend that is exempt keeps its connections to what stands behind the frontend.
fn the_backends_own_connections_are_left_alone() {
    let mut scene = Scene::new();
    let cgroup = scene.world.sandbox.cgroup().join("kubepods/poduid-proxy/container");
    std::fs::create_dir_all(&cgroup).unwrap();
    let mut backend = Pod::start(Some(&cgroup), Net::Own);
    let own = CONNECTIONS.map(|(protocol, address)| backend.open(protocol, address, 8080, "original"));
    let straight = scene.open("original");
    let exempt =
        policies(80, "").replace("  redirectBackend:", "  skipRedirectFromBackend: true\n  redirectBackend:");
    let exempt = scene.world.image("exempt", &exempt);
    assert_eq!(scene.apply(&exempt, &["--existing", "close"])["existing"], count(0, ALL));
    backend.hear(&own, "original");
    scene.hear(&straight, CLOSED);
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
    assert_eq!(applied.json()["existing"], count(0, 6));
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

    let (node, others) = scene.pods.split_first_mut().unwrap();
    node.hear(&lost[0], CLOSED);
    others[0].hear(&lost[1], "old");
}

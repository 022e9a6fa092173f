//! A sandbox with an instance of lrpc in it, and two map sets that differ in their backend.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Backend, Frontend, Outcome, PodRef, Row, ServiceName};
use lrpc_loader::node::{Applied, ApplyOptions, Check, Error, Node, NodeDirs};
use lrpc_schema::image::{Clients, Fallback, Image, PolicyName, Port};
use lrpc_schema::records::Generation;
use testkit::{Client, Place, Sandbox, Server};

/// The guide's frontend.
pub(crate) const FRONTEND: &str = "169.254.169.254:8080";
/// The backends of the two sets; each server says its own address.
pub(crate) const OLD: &str = "10.244.1.1:80";
pub(crate) const NEW: &str = "10.244.1.2:80";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) node: Node,
}

impl World {
    /// A sandbox in which the backends serve and the frontend's own address does too, as `original`.
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::enter().expect("a sandbox needs root, cgroup v2 and `ip`");
        for (address, name) in [(OLD, OLD), (NEW, NEW), (FRONTEND, "original")] {
            let address: SocketAddr = address.parse().unwrap();
            sandbox.add_address(&format!("{}/32", address.ip())).unwrap();
            Server::start(address, name).unwrap();
        }
        let node = Node::new(NodeDirs {
            cgroup: Some(sandbox.cgroup().to_owned()),
            bpffs: sandbox.bpffs(),
            state: sandbox.state(),
        });
        Self { sandbox, node }
    }

    /// Applies a set that sends the frontend to `backend`.
    pub(crate) fn apply(&self, backend: &str) -> Result<Applied, Error> {
        self.node.apply(&image(0), &set(&[row(FRONTEND, backend)]), &options(), &mut |_| {})
    }

    /// Where a connect from the redirected cgroup ends.
    pub(crate) fn reached(&self) -> String {
        let mut pod = Client::start(Place::Cgroup(self.sandbox.cgroup())).unwrap();
        pod.connect("tcp", FRONTEND).unwrap().name
    }

    /// What is pinned, as paths below the pin directory.
    pub(crate) fn pinned(&self) -> Vec<String> {
        let root = self.sandbox.bpffs();
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => found.push(entry.path().strip_prefix(&root).unwrap().display().to_string()),
                }
            }
        }
        found.sort();
        found
    }

    /// The lines of `doctor` that have a name.
    pub(crate) fn doctor(&self, name: &str) -> Vec<Check> {
        let mut checks = self.node.doctor(&asker);
        checks.retain(|check| check.name == name);
        checks
    }

    /// Asserts that everything is as it was loaded.
    #[track_caller]
    pub(crate) fn whole(&self) {
        let verified = self.node.verify(None).unwrap();
        assert!(verified.ok, "{:?}", verified.differences);
        assert_eq!(self.node.status().unwrap().differences, []);
    }
}

/// The argument with which this executable asks for `doctor`.
const ASK: &str = "--doctor-ask";

/// This executable as the process that asks for `doctor`.
pub(crate) fn asker() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(ASK);
    command
}

/// The argument with which this executable sends one datagram.
const SEND: &str = "--send";

/// Who answers a datagram that a process in a cgroup sends by an unconnected socket, and from which address, if it is
/// not the one that was asked.
pub(crate) fn sent(cgroup: &Path, address: &str) -> String {
    let entering = r#"echo $$ > "$0/cgroup.procs" && exec "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", entering]).arg(cgroup).arg(std::env::current_exe().unwrap()).args([SEND, address]);
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim_end().to_owned()
}

fn send(address: &str) -> std::io::Result<String> {
    let address: SocketAddr = address.parse().unwrap();
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.send_to(b"who?", address)?;
    let mut answer = [0; 64];
    let (length, from) = socket.recv_from(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    Ok(if from == address { answer } else { format!("{answer} from {from}") })
}

/// Is one of the processes that these tests start of this executable, where it was started as such.
pub(crate) fn serve_if_started() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [ASK] => {
            if std::io::stdin().read_line(&mut String::new()).unwrap() > 0 {
                println!("{}", serde_json::to_string(&lrpc_loader::probe::ask()).unwrap());
            }
        }
        [SEND, address] => println!("{}", send(address).unwrap_or_else(|error| error.to_string())),
        _ => return,
    }
    std::process::exit(0);
}

/// A generation by its number.
pub(crate) fn n(number: u64) -> Generation {
    Generation::new(number).unwrap()
}

pub(crate) fn options() -> ApplyOptions {
    ApplyOptions { node: "n1".to_owned(), ..ApplyOptions::default() }
}

/// Images that differ in a list that no rule here looks at.
pub(crate) fn image(number: u8) -> Image {
    Image::seal(vec![], Some(&[format!("10.{number}.0.0/16").parse().unwrap()]), None)
}

pub(crate) fn set(rows: &[Row]) -> MapSet {
    rows.iter().cloned().collect()
}

/// A TCP row of an address policy.
pub(crate) fn row(frontend: &str, backend: &str) -> Row {
    let (frontend, backend): (SocketAddr, SocketAddr) = (frontend.parse().unwrap(), backend.parse().unwrap());
    let port = |address: SocketAddr| Port::new(address.port()).unwrap();
    let pod = PodRef { namespace: "default".into(), name: "agent".into(), uid: Some("uid".into()) };
    Row {
        frontend: Frontend {
            address: frontend.ip(),
            port: port(frontend),
            protocol: lrpc_schema::image::Protocol::Tcp,
        },
        policy: PolicyName { namespace: "default".into(), name: "metadata".into() },
        service: None,
        outcome: Outcome::Redirect(vec![Backend {
            address: backend.ip(),
            port: port(backend),
            pods: vec![pod],
        }]),
        skip_flag: false,
        skip: Arc::default(),
        fallback: Fallback::Original,
        clients: Clients::All,
        client_pods: Arc::default(),
    }
}

/// The same row, of a Service.
pub(crate) fn of_service(mut row: Row) -> Row {
    row.service = Some(ServiceName { namespace: "default".into(), name: "metadata".into() });
    row
}

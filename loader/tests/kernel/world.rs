//! A sandbox with an instance of lrpc in it, and two map sets that differ in their backend.

use std::net::SocketAddr;
use std::sync::Arc;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Backend, Frontend, Outcome, PodRef, Row, ServiceName};
use lrpc_loader::node::{Applied, ApplyOptions, Error, Node, NodeDirs};
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

    /// Asserts that everything is as it was loaded.
    #[track_caller]
    pub(crate) fn whole(&self) {
        let verified = self.node.verify(None).unwrap();
        assert!(verified.ok, "{:?}", verified.differences);
        assert_eq!(self.node.status().unwrap().differences, []);
    }
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

//! A sandbox with a node in it: pods are addresses of the loopback interface with a server each.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use testkit::{Client, Place, Sandbox, Server};

pub(crate) const NODE: &str = "worker-1";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
}

/// What a run of lrpc said.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The run, if it ended with this code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self { sandbox: Sandbox::enter().expect("a sandbox needs root, cgroup v2 and `ip`") }
    }

    /// Starts a server named `name` at an address of its own.
    pub(crate) fn server(&self, ip: &str, port: u16, name: &str) {
        // An address that is there already serves as well.
        let _ = self.sandbox.add_address(&format!("{ip}/32"));
        Server::start(format!("{ip}:{port}").parse().unwrap(), name).unwrap();
    }

    /// A client in the redirected cgroup.
    pub(crate) fn pod(&self) -> Client {
        Client::start(Place::Cgroup(self.sandbox.cgroup())).unwrap()
    }

    /// A client in no cgroup that is redirected.
    pub(crate) fn outsider(&self) -> Client {
        Client::start(Place::Outside).unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.sandbox.folder().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The image of a manifest.
    pub(crate) fn image(&self, name: &str, manifest: &str) -> String {
        let manifest = self.file(&format!("{name}.yaml"), manifest);
        let image = self.sandbox.folder().join(format!("{name}.lrpc")).display().to_string();
        run(Command::new(lrpc()).arg("compile").arg(manifest).args(["-o", &image])).ends(0);
        image
    }

    /// An inventory with this node and these pods of the namespace `default`, all of them ready and with
    /// the label `app: proxy`.
    pub(crate) fn inventory(&self, pods: &[(&str, &str, &[u16])]) -> String {
        let mut text = format!("apiVersion: v1\nkind: Node\nmetadata: {{name: {NODE}}}\n");
        for (name, ip, ports) in pods {
            let ports: Vec<String> = ports
                .iter()
                .flat_map(|port| ["TCP", "UDP"].map(|protocol| (port, protocol)))
                .map(|(port, protocol)| format!("{{containerPort: {port}, protocol: {protocol}}}"))
                .collect();
            write!(
                text,
                "---\napiVersion: v1\nkind: Pod\n\
                 metadata: {{name: {name}, namespace: default, uid: uid-{name}, labels: {{app: proxy}}}}\n\
                 spec: {{nodeName: {NODE}, containers: [{{name: c, ports: [{}]}}]}}\n\
                 status: {{phase: Running, podIP: {ip}, podIPs: [{{ip: {ip}}}], \
                 conditions: [{{type: Ready, status: \"True\"}}]}}\n",
                ports.join(", ")
            )
            .unwrap();
        }
        self.file("inventory.yaml", &text).display().to_string()
    }

    /// What is pinned for lrpc, and the directories for it; not the marker, which stays.
    pub(crate) fn pins(&self) -> Vec<String> {
        let Ok(pins) = fs::read_dir(self.sandbox.bpffs()) else { return Vec::new() };
        let pins = pins.map(|pin| pin.unwrap().path().display().to_string());
        pins.filter(|pin| !pin.ends_with("/lrpc-instance-1")).collect()
    }

    /// Runs a command that looks at this node.
    pub(crate) fn lrpc(&self, arguments: &[&str]) -> Run {
        run(Command::new(lrpc()).args(arguments).args(self.sandbox.options()))
    }

    /// Applies an image and says what came of it.
    pub(crate) fn apply(&self, image: &str, inventory: &str, more: &[&str]) -> Run {
        let arguments = ["apply", image, "--inventory", inventory, "--node", NODE, "--format", "json"];
        self.lrpc(&[&arguments, more].concat())
    }
}

pub(crate) fn lrpc() -> &'static str {
    env!("CARGO_BIN_EXE_lrpc")
}

pub(crate) fn run(command: &mut Command) -> Run {
    Run::of(command.output().unwrap())
}

/// A policy that redirects an address to the pods `app: proxy`; `annotation` is a line or empty.
pub(crate) fn address_policy(
    name: &str,
    frontend: (&str, u16, &str),
    backend: u16,
    annotation: &str,
) -> String {
    let (ip, port, protocol) = frontend;
    format!(
        r#"apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata:
  name: {name}
  namespace: default
  annotations: {{{annotation}}}
spec:
  redirectFrontend:
    addressMatcher:
      ip: "{ip}"
      toPorts: [{{port: "{port}", protocol: {protocol}}}]
  redirectBackend:
    localEndpointSelector: {{matchLabels: {{app: proxy}}}}
    toPorts: [{{port: "{backend}", protocol: {protocol}}}]
"#
    )
}

/// The guide's own address policy.
pub(crate) fn guide_policy(backend: u16) -> String {
    address_policy("metadata", ("169.254.169.254", 8080, "TCP"), backend, "")
}

/// The guide's frontend as a client writes it.
pub(crate) const GUIDE: &str = "169.254.169.254:8080";

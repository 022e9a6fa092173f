//! A node whose pods are network namespaces of their own.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::mount::MountPropagationFlags;
use rustix::thread::UnshareFlags;

use crate::kubelet::{Driver, Qos, container_cgroup};
use crate::{Client, Netns, Place, Sandbox, Server, ip};

/// The bridge to which pods are plugged.
const BRIDGE: &str = "pods";

/// The addresses of every [`Node`].
pub const NODE_ADDRESSES: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(172, 18, 0, 3)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0x172, 0x18, 0, 0, 0, 0, 3))];

/// The network namespace of a [`Sandbox`] as a node's: it has addresses of both families and a bridge on
/// which each pod gets two of its own. It routes nowhere.
#[derive(Debug)]
pub struct Node<'a> {
    sandbox: &'a Sandbox,
    pods: AtomicU16,
}

/// What a pod is to be.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its labels, as a flow mapping without braces.
    pub labels: &'a str,
    /// The ports that its container declares, as a flow sequence without brackets.
    pub ports: &'a str,
    /// Who makes its cgroup.
    pub driver: Driver,
    /// Under which class.
    pub qos: Qos,
    /// Whether it lives in the node's network namespace.
    pub host_network: bool,
    /// Whether the kubelet runs it from a file: then its cgroup bears the hash of that file.
    pub is_static: bool,
    /// The name servers of its `/etc/resolv.conf`; none: the node's own file.
    pub nameservers: &'a [&'a str],
}

impl Default for Spec<'_> {
    fn default() -> Self {
        Self {
            name: "pod",
            namespace: "default",
            labels: "",
            ports: "",
            driver: Driver::Systemd,
            qos: Qos::Burstable,
            host_network: false,
            is_static: false,
            nameservers: &[],
        }
    }
}

/// A pod, or a process of the node itself.
#[derive(Debug)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its labels, as a flow mapping without braces.
    pub labels: String,
    /// The ports that its container declares, as a flow sequence without brackets.
    pub ports: String,
    /// Its UID in the API.
    pub uid: String,
    /// The hash of the file from which the kubelet runs it.
    pub mirror: Option<String>,
    /// Whether it lives in the node's network namespace.
    pub host_network: bool,
    /// Its addresses, IPv4 first.
    pub addresses: [IpAddr; 2],
    cgroup: PathBuf,
    resolv_conf: Option<PathBuf>,
    net: Option<Netns>,
}

/// A process that ends when it is dropped.
#[derive(Debug)]
pub struct Daemon(Child);

impl<'a> Node<'a> {
    /// Makes the node's network in a sandbox.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn new(sandbox: &'a Sandbox) -> io::Result<Self> {
        let [v4, v6] = NODE_ADDRESSES;
        ip::batch(&[
            // With an address of its own: else it takes the lowest of its ports', and a pod that starts may
            // change it under those that have learned it.
            format!("link add {BRIDGE} address 02:00:0a:f4:01:01 type bridge"),
            format!("address add 10.244.1.1/24 dev {BRIDGE}"),
            format!("address add fd00:10:244:1::1/64 dev {BRIDGE} nodad"),
            format!("link set {BRIDGE} up"),
            format!("address add {v4}/32 dev lo"),
            format!("address add {v6}/128 dev lo nodad"),
        ])?;
        Ok(Self { sandbox, pods: AtomicU16::new(10) })
    }

    /// Starts a pod: its cgroup and its network.
    ///
    /// # Errors
    /// When the kernel or `ip` refuses it.
    pub fn pod(&self, spec: Spec<'_>) -> io::Result<Pod> {
        let number = self.pods.fetch_add(1, Ordering::Relaxed);
        let uid = format!("{number:08x}-5eed-4000-8000-{:012x}", std::process::id());
        let mirror = spec.is_static.then(|| format!("{number:016x}{:016x}", std::process::id()));
        let named = mirror.as_ref().unwrap_or(&uid);
        let cgroup = container_cgroup(self.sandbox.cgroup(), spec.driver, spec.qos, named, "c0ffee");
        fs::create_dir_all(&cgroup)?;
        let mut pod = Pod {
            name: spec.name.into(),
            namespace: spec.namespace.into(),
            labels: spec.labels.into(),
            ports: spec.ports.into(),
            uid,
            mirror,
            host_network: spec.host_network,
            addresses: NODE_ADDRESSES,
            cgroup,
            resolv_conf: None,
            net: None,
        };
        if !spec.nameservers.is_empty() {
            let path = self.sandbox.folder().join(format!("resolv-{number}.conf"));
            let lines = spec.nameservers.iter().map(|server| format!("nameserver {server}\n"));
            fs::write(&path, lines.collect::<String>() + "options timeout:10 attempts:1\n")?;
            pod.resolv_conf = Some(path);
        }
        if !spec.host_network {
            let v6 = Ipv6Addr::new(0xfd00, 0x10, 0x244, 1, 0, 0, 0, number);
            let v4 = Ipv4Addr::new(10, 244, 1, u8::try_from(number).map_err(io::Error::other)?);
            let net = Netns::new()?;
            net.plug_into(
                BRIDGE,
                &format!("pod{number}"),
                &[
                    format!("address add {v4}/24 dev eth0"),
                    format!("address add {v6}/64 dev eth0 nodad"),
                    "link set eth0 up".into(),
                    "route add default via 10.244.1.1".into(),
                    "route add default via fd00:10:244:1::1".into(),
                ],
            )?;
            pod.addresses = [v4.into(), v6.into()];
            pod.net = Some(net);
        }
        Ok(pod)
    }

    /// A service of the node itself: in its network namespace, below the sandbox's cgroup and in no pod's.
    ///
    /// # Errors
    /// When the cgroup cannot be made.
    pub fn process(&self, name: &str) -> io::Result<Pod> {
        let cgroup = self.sandbox.cgroup().join("system.slice").join(format!("{name}.service"));
        fs::create_dir_all(&cgroup)?;
        Ok(Pod {
            name: name.into(),
            namespace: String::new(),
            labels: String::new(),
            ports: String::new(),
            uid: String::new(),
            mirror: None,
            host_network: true,
            addresses: NODE_ADDRESSES,
            cgroup,
            resolv_conf: None,
            net: None,
        })
    }
}

impl Pod {
    /// Does something in the pod's network namespace.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> io::Result<T> {
        match &self.net {
            Some(net) => net.inside(act),
            None => Ok(act()),
        }
    }

    /// Starts a client as a process of the pod.
    ///
    /// # Errors
    /// As [`Client::start`].
    pub fn client(&self) -> io::Result<Client> {
        self.inside(|| Client::start(Place::Cgroup(&self.cgroup)))?
    }

    /// Starts a client in the pod's network namespace, but in no cgroup of the sandbox.
    ///
    /// # Errors
    /// As [`Client::start`].
    pub fn outsider(&self) -> io::Result<Client> {
        self.inside(|| Client::start(Place::Outside))?
    }

    /// Starts a server with a name at a port of each of the pod's addresses.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn serve(&self, port: u16, name: &str) -> io::Result<()> {
        self.inside(|| {
            let servers = self.addresses.map(|ip| Server::start(SocketAddr::new(ip, port), name).map(drop));
            servers.into_iter().collect()
        })?
    }

    /// Runs a program as a process of the pod, for at most a minute.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, program: &[&str]) -> io::Result<Output> {
        self.start(&[&["timeout", "60"], program].concat(), Stdio::piped)?.wait_with_output()
    }

    /// Runs a program as a process of the pod until the answer is dropped. What it says is not kept.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn daemon(&self, program: &[&str]) -> io::Result<Daemon> {
        Ok(Daemon(self.start(program, Stdio::null)?))
    }

    /// The cgroup of the pod's container.
    pub fn cgroup(&self) -> &Path {
        &self.cgroup
    }

    fn start(&self, program: &[&str], said: fn() -> Stdio) -> io::Result<Child> {
        let start = || {
            if let Some(file) = &self.resolv_conf {
                #[expect(deprecated, reason = "files are not unshared, which is what makes it unsafe")]
                rustix::thread::unshare(UnshareFlags::NEWNS)?;
                rustix::mount::mount_change(
                    "/",
                    MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
                )?;
                rustix::mount::mount_bind(file, "/etc/resolv.conf")?;
            }
            let mut shell = Command::new("sh");
            shell.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec "$@""#]).arg(&self.cgroup).args(program);
            shell.stdin(Stdio::null()).stdout(said()).stderr(said()).spawn()
        };
        // The mount namespace must not become the caller's.
        std::thread::scope(|scope| {
            let started = scope.spawn(|| self.inside(start)).join();
            started.map_err(|_| io::Error::other("the thread panicked"))??
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Only the process that was started here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

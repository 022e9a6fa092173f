//! Real programs, and every way in which a program can reach a server, under one redirect.

pub(crate) mod datagrams;
pub(crate) mod resolvers;
pub(crate) mod sockets;
pub(crate) mod streams;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Daemon, Kind, Node, Pod, Server, Spec};

use crate::pods::pod;
use crate::world::{World, address_policy, run};

/// The frontends of every test here, IPv4 and IPv6, with something of its own behind it.
const FRONTENDS: [&str; 2] = ["169.254.20.10", "fd00:20::10"];
/// Where a testkit server listens, at the frontends and in the backend.
const NAMES: u16 = 7;
/// Where DNS servers listen.
const DNS: u16 = 53;
/// Where web servers listen.
const WEB: u16 = 80;

/// Servers at the frontends that say `original`, a pod whose servers say `backend`, and a pod whose
/// programs are looked at.
struct Scene<'a> {
    world: &'a World,
    shop: Pod,
    backend: Pod,
    image: String,
    inventory: String,
    _servers: Vec<Daemon>,
}

/// Which servers a test talks to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Servers {
    Names,
    Dns,
    Web,
}

impl<'a> Scene<'a> {
    fn new(world: &'a World, node: &Node<'_>, servers: Servers) -> Self {
        for (frontend, length) in FRONTENDS.iter().zip([32, 128]) {
            world.sandbox.add_address(&format!("{frontend}/{length}")).unwrap();
        }
        let shop =
            Spec { name: "shop", labels: "app: shop", nameservers: &FRONTENDS[..1], ..Spec::default() };
        let shop = node.pod(shop).unwrap();
        let backend = pod(node, "backend");
        let original = node.process("original").unwrap();
        // Data in the SYN without a cookie, for clients and for every listener that is made from here on.
        let fast_open = || std::fs::write("/proc/sys/net/ipv4/tcp_fastopen", "0x607").unwrap();
        for pod in [&original, &backend, &shop] {
            pod.inside(fast_open).unwrap();
        }
        let backend_addresses = backend.addresses.map(|address| address.to_string());
        let backend_addresses = [&*backend_addresses[0], &*backend_addresses[1]];
        let mut running = Vec::new();
        let port = match servers {
            Servers::Names => {
                backend.serve(NAMES, "backend").unwrap();
                for frontend in FRONTENDS {
                    Server::start(endpoint(frontend, NAMES).parse().unwrap(), "original").unwrap();
                }
                NAMES
            }
            Servers::Dns => {
                running.push(dnsmasq(&original, &FRONTENDS, "192.0.2.1", &[]));
                running.push(dnsmasq(&backend, &backend_addresses, "192.0.2.2", &[]));
                DNS
            }
            Servers::Web => {
                running.push(web(world, &original, "original"));
                running.push(web(world, &backend, "backend"));
                WEB
            }
        };
        let policies: Vec<String> = FRONTENDS
            .iter()
            .flat_map(|frontend| ["TCP", "UDP"].map(|protocol| policy(frontend, port, protocol)))
            .collect();
        let image = world.image("programs", &policies.join("---\n"));
        let inventory = world.inventory_of(&[&shop, &backend], "");
        let scene = Self { world, shop, backend, image, inventory, _servers: running };
        let plain = scene.backend.addresses.map(|address| address.to_string());
        for address in FRONTENDS.into_iter().chain([&*plain[0], &*plain[1]]) {
            wait_for(&scene.shop, address, port);
        }
        scene
    }

    fn apply(&self) {
        let applied = self.world.apply_here(&self.image, &self.inventory).ends(0).json();
        assert_eq!(applied["left_out"], 0, "{applied}");
    }

    /// Runs a program as a process of the pod: what it printed, without the space around it.
    fn program(&self, program: &[&str]) -> String {
        let output = self.shop.run(program).unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        format!("{}{}", said.trim(), String::from_utf8_lossy(&output.stderr).trim())
    }

    /// The same program hears the original before the apply, the backend under it, and the original again
    /// after it: who is looked at is seen to be able to tell.
    #[track_caller]
    fn hears(&self, program: &[&str], original: &str, backend: &str) {
        assert_eq!(self.program(program), original, "before: {program:?}");
        self.apply();
        assert_eq!(self.program(program), backend, "under the redirect: {program:?}");
        self.world.lrpc(&["unload"]).ends(0);
        assert_eq!(self.program(program), original, "after: {program:?}");
    }

    /// The same of a program that is told an address, for both families.
    #[track_caller]
    fn hears_of_both(&self, program: impl Fn(&str) -> Vec<String>, said: impl Fn(&str, &str) -> String) {
        for frontend in FRONTENDS {
            let program = program(frontend);
            let program: Vec<&str> = program.iter().map(String::as_str).collect();
            self.hears(&program, &said("original", frontend), &said("backend", frontend));
        }
    }
}

/// Waits until a server answers, as a client that no program looks at.
pub(crate) fn wait_for(pod: &Pod, address: &str, port: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut client = pod.outsider().unwrap();
    let address = endpoint(address, port);
    loop {
        let socket = client.socket(if address.starts_with('[') { Kind::Tcp6 } else { Kind::Tcp4 }).unwrap();
        match client.connect_socket(socket, &address) {
            Ok(()) => return,
            Err(error) if Instant::now() > deadline => panic!("{address}: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A policy that redirects a port of a frontend to the same port of the pod `backend`.
fn policy(frontend: &str, port: u16, protocol: &str) -> String {
    let name = format!("{}-{}", frontend.replace([':', '.'], "-"), protocol.to_lowercase());
    address_policy(&name, (frontend, port, protocol), port, "").replace("app: proxy", "app: backend")
}

/// An address and a port as sockets write them.
fn endpoint(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// dnsmasq as a DNS server that answers for two names in IPv4, and for `who.test` and `where.test` in both
/// families.
pub(crate) fn dnsmasq(pod: &Pod, addresses: &[&str], answer: &str, more: &[String]) -> Daemon {
    let listen = addresses.iter().map(|address| format!("--listen-address={address}"));
    let known = [
        ("who", answer),
        ("who", &*mapped(answer)),
        ("where", answer),
        ("where", &*mapped(answer)),
        ("four", answer),
    ]
    .map(|(name, answer)| format!("--address=/{name}.test/{answer}"));
    let options: Vec<String> = listen.chain(known).chain(more.iter().cloned()).collect();
    let mut program = vec!["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"];
    program.extend(["--user=root", "--pid-file=", "--bind-interfaces", "--except-interface=lo"]);
    program.extend(options.iter().map(String::as_str));
    pod.daemon(&program).expect("dnsmasq is in Debian's dnsmasq-base")
}

/// The IPv6 address that [`dnsmasq`] answers beside this one.
pub(crate) fn mapped(answer: &str) -> String {
    format!("2001:db8::{}", answer.replace('.', ":"))
}

/// A web server at every address, of both families, whose page is its name.
fn web(world: &World, pod: &Pod, name: &str) -> Daemon {
    let folder = world.sandbox.folder().join(format!("web-{name}"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("index.html"), name).unwrap();
    let folder = folder.display().to_string();
    pod.daemon(&["/usr/bin/python3", "-m", "http.server", "--bind", "::", "--directory", &folder, "80"])
        .expect("python3 is in Debian's python3")
}

/// Compiles one of the C programs beside this file.
pub(crate) fn compiled(world: &World, compiler: &[&str], source: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/programs");
    let program = world.sandbox.folder().join(format!("{source}-{}", compiler[0])).display().to_string();
    let mut command = Command::new(compiler[0]);
    command.args(["-Wall", "-Werror", "-o", &program]).arg(folder.join(source)).args(&compiler[1..]);
    run(&mut command).ends(0);
    program
}

/// The command line of one of the Python programs beside this file.
fn script(name: &str, arguments: &[&str]) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/programs").join(name);
    let path = path.display().to_string();
    ["/usr/bin/python3", &path].iter().chain(arguments).map(|text| (*text).to_owned()).collect()
}

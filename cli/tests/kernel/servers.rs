//! Real servers and clients from Debian's packages, under the policies and inventories of this repository.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Test;
use crate::world::{World, lrpc, run};

pub(crate) const TESTS: &[Test] =
    &[("node_local_dns_answers_for_kube_dns", node_local_dns_answers_for_kube_dns)];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A server that ends with its test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// dnsmasq as a DNS server that knows one name.
fn dnsmasq(world: &World, ip: &str, answer: &str) -> Daemon {
    world.sandbox.add_address(&format!("{ip}/32")).unwrap();
    let child = Command::new("dnsmasq")
        .args([
            "--no-daemon",
            "--no-resolv",
            "--no-hosts",
            "--conf-file=/dev/null",
            "--user=root",
            "--pid-file=",
        ])
        .args(["--bind-interfaces", "--except-interface=lo"])
        .arg(format!("--listen-address={ip}"))
        .arg(format!("--address=/who.test/{answer}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("dnsmasq is in Debian's dnsmasq-base");
    Daemon(child)
}

/// What `dig` gets from the ClusterIP of kube-dns, as a process of the cgroup or outside it.
fn dig(cgroup: Option<&Path>, transport: &str) -> String {
    let mut shell = Command::new("sh");
    let enter = if cgroup.is_some() { r#"echo $$ > "$0/cgroup.procs" && "# } else { "" };
    shell
        .arg("-c")
        .arg(format!(r#"{enter}exec dig +short +tries=1 +time=2 {transport} @10.96.0.10 who.test"#));
    shell.arg(cgroup.unwrap_or(Path::new("-")));
    run(&mut shell).stdout.trim().to_owned()
}

/// The node-local DNS use case as the repository ships it: `dig` in a pod asks kube-dns and hears the
/// node's cache, over TCP and over the connected UDP sockets that it uses; outside the cgroup it hears
/// kube-dns.
fn node_local_dns_answers_for_kube_dns() {
    let world = World::new();
    let _cluster = dnsmasq(&world, "10.96.0.10", "192.0.2.1");
    let _cache = dnsmasq(&world, "10.244.1.5", "192.0.2.2");
    let deadline = Instant::now() + Duration::from_secs(20);
    while (dig(None, "+tcp") != "192.0.2.1") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let image = world.sandbox.folder().join("dns.lrpc").display().to_string();
    let policy = repository().join("policies/node-local-dns");
    run(Command::new(lrpc()).arg("compile").arg(policy).args(["-o", &image])).ends(0);
    let inventory = repository().join("testdata/inventories/node-local-dns.yaml").display().to_string();
    world.apply(&image, &inventory, &[]).ends(0);
    for transport in ["+tcp", "+notcp"] {
        assert_eq!(dig(Some(world.sandbox.cgroup()), transport), "192.0.2.2", "{transport} in the pod");
        assert_eq!(dig(None, transport), "192.0.2.1", "{transport} outside");
    }
    world.lrpc(&["unload"]).ends(0);
    assert_eq!(dig(Some(world.sandbox.cgroup()), "+notcp"), "192.0.2.1");
}

//! `cargo xtask demo`: the main job, from manifests to redirected connections, in a sandbox of its own.

use std::path::PathBuf;
use std::process::Command;
use std::thread;

use testkit::{Client, Place, Sandbox, Server};

use crate::repository::{Failure, Repository, Result, run, write};

const NODE: &str = "worker-1";
const INVENTORY: &str = "testdata/inventories/guide.yaml";
/// The frontend of `policies/address-redirect`, and where its two images send it on this node.
const FRONTEND: &str = "169.254.169.254:8080";
const FIRST_BACKEND: &str = "10.244.1.10:80";
const SECOND_BACKEND: &str = "10.244.1.20:8080";
/// The guide's frontend, sent to other pods.
const SECOND_POLICY: &str = include_str!("second.yaml");

/// Builds lrpc and shows what it does.
pub(crate) fn show(repository: &Repository) -> Result<()> {
    say("This installs nothing. Building lrpc");
    run(repository.cargo().args(["build", "--release", "--package", "lrpc"]))?;
    let demo = Demo {
        lrpc: repository.target().join("release/lrpc"),
        root: repository.path("."),
        options: Vec::new(),
    };
    let folder = repository.target().join("demo");
    write(&folder.join("second/policy.yaml"), SECOND_POLICY.as_bytes())?;
    let image = |name: &str| folder.join(name).display().to_string();
    let (all, guide) = (image("policies.lrpc"), image("guide.lrpc"));
    let (first, second) = (image("first.lrpc"), image("second.lrpc"));

    say("The policies of this repository, checked and compiled");
    demo.lrpc(&["compile", "policies", "-o", &all])?;
    demo.lrpc(&["compile", "policies/address-redirect", "policies/service-redirect", "-o", &guide])?;
    demo.lrpc(&["compile", "policies/address-redirect", "-o", &first])?;
    demo.lrpc(&["compile", &folder.join("second").display().to_string(), "-o", &second])?;
    say("What a node would do with the guide's");
    demo.lrpc(&["link", &guide, "--inventory", INVENTORY, "--node", NODE])?;

    // A sandbox changes the namespaces of its thread for good.
    let load = thread::spawn(move || demo.load(&first, &second)).join();
    load.map_err(|_| Failure("the demo panicked".into()))?
}

/// One demo; with its sandbox's options once there is one.
struct Demo {
    lrpc: PathBuf,
    root: PathBuf,
    options: Vec<String>,
}

impl Demo {
    /// Loads, connects, swaps, rolls back and unloads.
    fn load(mut self, first: &str, second: &str) -> Result<()> {
        let sandbox = match Sandbox::enter() {
            Ok(sandbox) => sandbox,
            Err(error) => {
                say(&format!("Left out: loading into the kernel ({error})"));
                println!(
                    "It wants root, a cgroup v2 mount and the command `ip` (Debian package iproute2), and takes\n\
                     a network namespace, a cgroup and a bpffs of its own: `sudo -E cargo xtask demo`."
                );
                return Ok(());
            }
        };
        self.options = sandbox.options();
        for (address, name) in [
            (FRONTEND, "what-it-asked-for"),
            (FIRST_BACKEND, "first-backend"),
            (SECOND_BACKEND, "second-backend"),
        ] {
            serve(&sandbox, address, name)?;
        }
        let mut pod = Client::start(Place::Cgroup(sandbox.cgroup())).map_err(failed)?;
        let mut host = Client::start(Place::Outside).map_err(failed)?;

        say("A pod connects before anything is loaded");
        connect("pod", &mut pod)?;
        say("The first image is applied");
        self.lrpc(&["apply", first, "--inventory", INVENTORY, "--node", NODE])?;
        connect("pod", &mut pod)?;
        connect("process outside the cgroup", &mut host)?;
        say("Swapped to the second image, while the pod connects without pause");
        pod.storm("tcp", FRONTEND).map_err(failed)?;
        self.lrpc(&["apply", second, "--inventory", INVENTORY, "--node", NODE])?;
        let storm = pod.calm().map_err(failed)?;
        println!("answers {:?}, failures {:?}", storm.answers, storm.failures);
        connect("pod", &mut pod)?;
        say("And back, in one write");
        self.lrpc(&["rollback"])?;
        connect("pod", &mut pod)?;
        self.lrpc(&["history"])?;
        say("Unloaded");
        self.lrpc(&["unload"])?;
        connect("pod", &mut pod)?;
        say("Done; the namespace, the cgroup and the bpffs are removed");
        Ok(())
    }

    /// Runs lrpc with this terminal, and shows the command.
    fn lrpc(&self, arguments: &[&str]) -> Result<()> {
        println!("$ lrpc {}", arguments.join(" "));
        let mut command = Command::new(&self.lrpc);
        command.current_dir(&self.root).args(arguments);
        run(command.args(&self.options))
    }
}

fn serve(sandbox: &Sandbox, address: &str, name: &str) -> Result<()> {
    let address: std::net::SocketAddr = address.parse().map_err(|error| Failure(format!("{error}")))?;
    sandbox.add_address(&format!("{}/32", address.ip())).map_err(failed)?;
    Server::start(address, name).map(drop).map_err(failed)
}

fn connect(who: &str, client: &mut Client) -> Result<()> {
    let answer = client.connect("tcp", FRONTEND).map_err(failed)?;
    println!("{who} connects to {FRONTEND}: {} answers, getpeername says {}", answer.name, answer.peer);
    Ok(())
}

fn failed(error: std::io::Error) -> Failure {
    Failure(format!("the demo failed: {error}"))
}

fn say(what: &str) {
    println!("\n== {what}");
}

//! Where the ways are measured: namespaces, what is attached in them, and the servers.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use testkit::{Client, Place, Sandbox, Sink};

use super::kind::Kind;
use super::{Tools, kind};
use crate::bench::generate;
use crate::repository::{Failure, Result, output, write};

pub(super) const NFT: &str = "/usr/sbin/nft";
const NODE: &str = "worker-1";

/// The servers of one namespace.
pub(super) struct Servers {
    /// Answers at the pod's address.
    pub(super) pod: Sink,
    /// Answers at every other address.
    pub(super) others: Sink,
}

/// A sandbox with every address and both servers.
pub(super) fn namespace(kind: Kind) -> Result<(Sandbox, Servers)> {
    let sandbox = Sandbox::enter()
        .map_err(|error| Failure(format!("a sandbox needs root, cgroup v2 and `ip`: {error}")))?;
    for network in kind.networks() {
        sandbox.add_range(network).map_err(failed)?;
    }
    let width = if kind.is_ipv4() { 32 } else { 128 };
    sandbox.add_address(&format!("{}/{width}", kind.backend().ip())).map_err(failed)?;
    let listen = |address| Sink::listen(address).map_err(failed);
    let servers = Servers { pod: listen(kind.backend())?, others: listen(kind.anywhere())? };
    Ok((sandbox, servers))
}

/// An image of the frontends and what applies it.
pub(super) struct Set<'a> {
    tools: &'a Tools,
    sandbox: &'a Sandbox,
}

impl<'a> Set<'a> {
    pub(super) fn write(tools: &'a Tools, sandbox: &'a Sandbox, kind: Kind, count: u32) -> Result<Self> {
        let set = Self { tools, sandbox };
        write(&set.file("inventory.yaml"), generate::one_pod(NODE).as_bytes())?;
        let folder = set.file("policies");
        generate::policies_of(&folder, kind.frontends(count), kind.protocol(), kind::BACKEND_PORT)?;
        let mut compile = Command::new(&tools.lrpc);
        output(compile.arg("compile").arg(folder).arg("-o").arg(set.file("image.lrpc")))?;
        Ok(set)
    }

    /// Loads it for a cgroup, with the rights that `prefix` leaves.
    pub(super) fn apply(&self, prefix: &[&str], name: &str, cgroup: &Path) -> Result<()> {
        let lrpc = self.tools.lrpc.display().to_string();
        let words = prefix.iter().map(|word| (*word).to_owned()).chain([lrpc]).collect::<Vec<_>>();
        let Some((program, rest)) = words.split_first() else { return Ok(()) };
        let mut apply = Command::new(program);
        apply.args(rest).arg("apply").arg(self.file("image.lrpc"));
        apply.arg("--inventory").arg(self.file("inventory.yaml")).args(["--node", NODE]);
        apply.arg("--cgroup").arg(cgroup).arg("--bpffs").arg(self.sandbox.bpf_mount().join(name));
        output(apply.arg("--state").arg(self.file(&format!("state-{name}")))).map(drop)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.sandbox.folder().join(name)
    }
}

/// A program that keeps something attached until it is dropped.
pub(super) struct Attached(Child);

impl Attached {
    pub(super) fn to(program: &Path, cgroup: &Path) -> Result<Self> {
        let mut child = Command::new(program);
        child.arg(cgroup).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut attached = Self(child.spawn().map_err(failed)?);
        let mut said = String::new();
        if let Some(out) = attached.0.stdout.take() {
            BufReader::new(out).read_line(&mut said).map_err(failed)?;
        }
        if said.is_empty() {
            Err(Failure("the empty program could not be attached".into()))
        } else {
            Ok(attached)
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The namespace of nft, which is entered by a thread of its own.
pub(super) struct Elsewhere {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Elsewhere {
    /// Two clients and the servers there.
    pub(super) fn start(kind: Kind, count: u32) -> Result<(Self, [Client; 2], Servers)> {
        let (end, ended) = channel();
        let (ready, given) = channel();
        let thread = thread::spawn(move || Self::stay(kind, count, &ready, &ended));
        let elsewhere = Self { end: Some(end), thread: Some(thread) };
        let (clients, servers) = given.recv().map_err(failed)??;
        Ok((elsewhere, clients, servers))
    }

    fn stay(kind: Kind, count: u32, ready: &Sender<Result<([Client; 2], Servers)>>, ended: &Receiver<()>) {
        let mut here = None;
        let prepared = namespace(kind).and_then(|(sandbox, servers)| {
            let rules = sandbox.folder().join("rules.nft");
            write(
                &rules,
                generate::destination_nat(kind.frontends(count), kind.protocol(), kind.backend()).as_bytes(),
            )?;
            output(Command::new(NFT).arg("-f").arg(&rules))?;
            let clients = [start(sandbox.cgroup())?, start(sandbox.cgroup())?];
            here = Some(sandbox);
            Ok((clients, servers))
        });
        if ready.send(prepared).is_ok() {
            // Either way: it is over.
            let _ = ended.recv();
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A client in a cgroup.
pub(super) fn start(cgroup: &Path) -> Result<Client> {
    Client::start(Place::Cgroup(cgroup)).map_err(failed)
}

pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

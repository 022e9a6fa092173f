//! The ways in which a call may go: nothing attached, an empty program, lrpc, nft.
//!
//! A hook follows the cgroup in which a socket was made, so each way has a client in a cgroup of its own. nft's rules
//! hold for a network namespace, so it has one of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use testkit::{Batch, Client, Place, Range, Sandbox, Sink};

use super::figures::Cost;
use super::kind::Kind;
use super::{Tools, kind};
use crate::bench::generate;
use crate::repository::{Failure, Result, output, write};

pub(super) const NFT: &str = "/usr/sbin/nft";
const NODE: &str = "worker-1";

/// Sandboxes in which every way is ready to be measured.
pub(super) struct Ways {
    names: Vec<&'static str>,
    /// For each name its client and where that calls.
    ways: Vec<(usize, Range)>,
    clients: Vec<Client>,
    /// The server of the pod and that of everything else, in each namespace.
    sinks: Vec<Sink>,
    kind: Kind,
    _empty: Attached,
    _nft: Elsewhere,
    _sandbox: Sandbox,
}

impl Ways {
    pub(super) fn prepare(tools: &Tools, count: u32, kind: Kind) -> Result<Self> {
        let (sandbox, mut sinks) = namespace(kind)?;
        let cgroup = |name: &str| -> Result<PathBuf> {
            let cgroup = sandbox.cgroup().join(name);
            std::fs::create_dir(&cgroup).map_err(failed)?;
            Ok(cgroup)
        };
        let cgroups = [cgroup("plain")?, cgroup("empty")?, cgroup("root")?, cgroup("two")?];
        let [_, empty, root, two] = &cgroups;
        let empty = Attached::to(&tools.empty, empty)?;
        let set = Set::write(tools, &sandbox, kind, count)?;
        set.apply(&[], "root", root)?;
        let capabilities = ["setpriv", "--bounding-set", "-all,+bpf,+net_admin", "--no-new-privs"];
        set.apply(&capabilities, "two", two)?;

        let start = |cgroup: &PathBuf| Client::start(Place::Cgroup(cgroup)).map_err(failed);
        let mut clients = cgroups.iter().map(start).collect::<Result<Vec<_>>>()?;
        let (nft, client, others) = Elsewhere::start(kind, count)?;
        clients.push(client);
        sinks.extend(others);

        let (hits, misses) = (kind.frontends(count), kind.others());
        let all = [
            ("plain", 0, misses),
            ("empty program", 1, misses),
            ("miss, root", 2, misses),
            ("miss, two", 3, misses),
            ("hit, root", 2, hits),
            ("hit, two", 3, hits),
            ("miss, nft", 4, misses),
            ("hit, nft", 4, hits),
        ];
        Ok(Self {
            names: all.iter().map(|(name, ..)| *name).collect(),
            ways: all.iter().map(|(_, client, range)| (*client, *range)).collect(),
            clients,
            sinks,
            kind,
            _empty: empty,
            _nft: nft,
            _sandbox: sandbox,
        })
    }

    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Lets a way perform a batch.
    pub(super) fn batch(&mut self, way: usize) -> Result<Cost> {
        let no_way = || Failure(format!("no way {way}"));
        let (client, to) = *self.ways.get(way).ok_or_else(no_way)?;
        let client = self.clients.get_mut(client).ok_or_else(no_way)?;
        let batch = Batch { call: self.kind.call(), to, count: self.kind.batch() };
        let named = |error| Failure(format!("{}, {}: {error}", self.kind, self.names[way]));
        let call = client.time(batch).map_err(named)?;
        let mut taken = 0;
        for sink in &self.sinks {
            taken += sink.drain().map_err(failed)?;
        }
        let datagrams = batch.call == testkit::Call::Send;
        if taken != batch.count && batch.call != testkit::Call::ConnectUdp {
            return Err(Failure(format!("{taken} of {} arrived", batch.count)));
        }
        let receive = if datagrams { client.time_receive().map_err(named)? } else { Default::default() };
        let close = client.time_close().map_err(failed)?;
        Ok(Cost::new(batch.count, call, receive, close))
    }
}

/// A sandbox with every address and a server for the pod and for the others.
fn namespace(kind: Kind) -> Result<(Sandbox, Vec<Sink>)> {
    let sandbox = Sandbox::enter()
        .map_err(|error| Failure(format!("a sandbox needs root, cgroup v2 and `ip`: {error}")))?;
    for network in kind.networks() {
        sandbox.add_range(network).map_err(failed)?;
    }
    let width = if kind.is_ipv4() { 32 } else { 128 };
    sandbox.add_address(&format!("{}/{width}", kind.backend().ip())).map_err(failed)?;
    let sinks = [kind.backend(), kind.anywhere()].map(|address| Sink::listen(address).map_err(failed));
    let sinks = sinks.into_iter().collect::<Result<_>>()?;
    Ok((sandbox, sinks))
}

/// An image of the frontends and what applies it.
struct Set<'a> {
    tools: &'a Tools,
    sandbox: &'a Sandbox,
}

impl<'a> Set<'a> {
    fn write(tools: &'a Tools, sandbox: &'a Sandbox, kind: Kind, count: u32) -> Result<Self> {
        let set = Self { tools, sandbox };
        write(&set.file("inventory.yaml"), generate::one_pod(NODE).as_bytes())?;
        let folder = set.file("policies");
        generate::policies_of(&folder, kind.frontends(count), kind.protocol(), kind::BACKEND_PORT)?;
        let mut compile = Command::new(&tools.lrpc);
        output(compile.arg("compile").arg(folder).arg("-o").arg(set.file("image.lrpc")))?;
        Ok(set)
    }

    /// Loads it for a cgroup, with the rights that `prefix` leaves.
    fn apply(&self, prefix: &[&str], name: &str, cgroup: &Path) -> Result<()> {
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
struct Attached(Child);

impl Attached {
    fn to(program: &Path, cgroup: &Path) -> Result<Self> {
        let mut child = Command::new(program);
        child.arg(cgroup).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut attached = Self(child.spawn().map_err(failed)?);
        let mut said = String::new();
        if let Some(out) = attached.0.stdout.take() {
            BufReader::new(out).read_line(&mut said).map_err(failed)?;
        }
        if said.is_empty() { Err(Failure("the empty program could not be attached".into())) } else { Ok(attached) }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The namespace of nft, which is entered by a thread of its own.
struct Elsewhere {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Elsewhere {
    /// A client and the servers there.
    fn start(kind: Kind, count: u32) -> Result<(Self, Client, Vec<Sink>)> {
        let (end, ended) = channel();
        let (ready, given) = channel();
        let thread = thread::spawn(move || Self::stay(kind, count, &ready, &ended));
        let elsewhere = Self { end: Some(end), thread: Some(thread) };
        let (client, sinks) = given.recv().map_err(failed)??;
        Ok((elsewhere, client, sinks))
    }

    fn stay(kind: Kind, count: u32, ready: &Sender<Result<(Client, Vec<Sink>)>>, ended: &Receiver<()>) {
        let mut here = None;
        let prepared = namespace(kind).and_then(|(sandbox, sinks)| {
            let rules = sandbox.folder().join("rules.nft");
            write(&rules, generate::destination_nat(kind.frontends(count), kind.protocol(), kind.backend()).as_bytes())?;
            output(Command::new(NFT).arg("-f").arg(&rules))?;
            let client = Client::start(Place::Cgroup(sandbox.cgroup())).map_err(failed)?;
            here = Some(sandbox);
            Ok((client, sinks))
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

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

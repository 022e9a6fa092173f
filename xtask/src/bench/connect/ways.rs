//! The ways in which a call may go: nothing attached, an empty program, lrpc, nft.
//!
//! A hook follows the cgroup in which a socket was made, so each way has a client in a cgroup of its own. nft's rules
//! hold for a network namespace, so it has one of its own.

use std::path::PathBuf;
use std::time::Duration;

use testkit::{Batch, Call, Client, Range, Sandbox};

use super::Tools;
use super::figures::Cost;
use super::kind::Kind;
use super::places::{Attached, Elsewhere, Servers, Set, failed, namespace, start};
use crate::repository::{Failure, Result};

/// Who must receive what a way sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiver {
    Pod,
    Others,
}

/// One way of the table.
pub(super) struct Way {
    pub(super) name: &'static str,
    /// The ways without a program, with an empty one and through nft that this one is compared to, by their places.
    pub(super) beside: [usize; 3],
    client: Client,
    to: Range,
    receiver: Receiver,
}

/// Sandboxes in which every way is ready to be measured.
pub(super) struct Ways {
    ways: Vec<Way>,
    servers: [Servers; 2],
    kind: Kind,
    _empty: Attached,
    _nft: Elsewhere,
    _sandbox: Sandbox,
}

impl Ways {
    pub(super) fn prepare(tools: &Tools, count: u32, kind: Kind) -> Result<Self> {
        let (sandbox, here) = namespace(kind)?;
        let cgroup = |name: &str| -> Result<PathBuf> {
            let cgroup = sandbox.cgroup().join(name);
            std::fs::create_dir(&cgroup).map_err(failed)?;
            Ok(cgroup)
        };
        let (plain, empty, root, two) = (cgroup("plain")?, cgroup("empty")?, cgroup("root")?, cgroup("two")?);
        let attached = Attached::to(&tools.empty, &empty)?;
        let set = Set::write(tools, &sandbox, kind, count)?;
        set.apply(&[], "root", &root)?;
        let capabilities = ["setpriv", "--bounding-set", "-all,+bpf,+net_admin", "--no-new-privs"];
        set.apply(&capabilities, "two", &two)?;
        let (nft, [nft_miss, nft_hit], there) = Elsewhere::start(kind, count)?;

        let miss = |name, client| Way {
            name,
            beside: [0, 1, 4],
            client,
            to: kind.others(),
            receiver: Receiver::Others,
        };
        let hit = |name, client| Way {
            name,
            beside: [5, 6, 9],
            client,
            to: kind.frontends(count),
            receiver: Receiver::Pod,
        };
        let pod = Range { first: kind.backend(), span: 1 };
        let ways = vec![
            miss("plain, to others", start(&plain)?),
            miss("empty program, to others", start(&empty)?),
            miss("miss", start(&root)?),
            miss("miss, two capabilities", start(&two)?),
            miss("miss, nft", nft_miss),
            Way { to: pod, ..hit("plain, to the backend", start(&plain)?) },
            Way { to: pod, ..hit("empty program, to the backend", start(&empty)?) },
            hit("hit", start(&root)?),
            hit("hit, two capabilities", start(&two)?),
            hit("hit, nft", nft_hit),
        ];
        let servers = [here, there];
        let mut all = Self { ways, servers, kind, _empty: attached, _nft: nft, _sandbox: sandbox };
        for way in 0..all.len() {
            all.try_out(way)?;
            all.warm_up(way)?;
        }
        Ok(all)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.ways.len()
    }

    /// Sees to it that a way leads where it should, also where nothing is sent while the clock runs.
    fn try_out(&mut self, way: usize) -> Result<()> {
        if self.kind.call() != Call::ConnectUdp {
            return self.batch(way).map(drop);
        }
        let (way, servers) = self.way(way)?;
        let batch = Batch { call: Call::ConnectUdp, to: way.to, count: 64 };
        let sent = way.client.time(batch).and_then(|_| way.client.send_by_each());
        sent.map_err(|error| Failure(format!("{}: {error}", way.name)))?;
        drain(servers, way, batch.count)
    }

    /// Meets every address of a way once: what is made at the first meeting is not what later ones cost.
    fn warm_up(&mut self, way: usize) -> Result<()> {
        let span = self.way(way)?.0.to.span;
        (0..span.div_ceil(self.kind.batch())).try_for_each(|_| self.batch(way).map(drop))
    }

    /// Lets a way perform a batch.
    pub(super) fn batch(&mut self, way: usize) -> Result<Cost> {
        let kind = self.kind;
        let (way, servers) = self.way(way)?;
        let name = way.name;
        let named = |error| Failure(format!("{kind}, {name}: {error}"));
        let batch = Batch { call: kind.call(), to: way.to, count: kind.batch() };
        let call = way.client.time(batch).map_err(named)?;
        if batch.call != Call::ConnectUdp {
            drain(servers, way, batch.count)?;
        }
        let receive = match batch.call {
            Call::Send => way.client.time_receive().map_err(named)?,
            Call::ConnectTcp | Call::ConnectUdp => Duration::ZERO,
        };
        Ok(Cost::new(batch.count, call, receive, way.client.time_close().map_err(named)?))
    }

    fn way(&mut self, way: usize) -> Result<(&mut Way, &[Servers; 2])> {
        let found = self.ways.get_mut(way).ok_or_else(|| Failure(format!("there is no way {way}")))?;
        Ok((found, &self.servers))
    }
}

/// Empties the servers. All of a batch must have arrived where its way leads.
fn drain(servers: &[Servers; 2], way: &Way, count: u32) -> Result<()> {
    let mut arrived = 0;
    for servers in servers {
        for (sink, receiver) in [(&servers.pod, Receiver::Pod), (&servers.others, Receiver::Others)] {
            let taken = sink.drain().map_err(failed)?;
            if receiver == way.receiver {
                arrived += taken;
            }
        }
    }
    if arrived == count {
        return Ok(());
    }
    Err(Failure(format!("{}: {arrived} of {count} arrived where they should", way.name)))
}

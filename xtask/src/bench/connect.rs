//! What a redirect costs a socket: a call that meets a frontend (hit) or none (miss), beside the same call without a
//! program, with a program that does nothing, and with nft's DNAT and connection tracking.
//!
//! All of them take turns in one run, and a ratio is the median of what the rounds give: the machine is shared. The
//! programs are loaded twice, as root and under CAP_BPF and CAP_NET_ADMIN alone, since the kernel's verifier adds
//! barriers against speculation where CAP_PERFMON is missing.

mod figures;
mod kind;
mod places;
mod ways;

use std::path::{Path, PathBuf};
use std::thread;

use self::figures::Figures;
use self::kind::Kind;
use self::ways::Ways;
use crate::packages;
use crate::repository::{self, Failure, Repository, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many frontends, each a policy of its own, for each block of the table
    #[arg(long, value_delimiter = ',', default_value = "10,1000,100000", value_name = "COUNT,...")]
    frontends: Vec<u32>,

    /// Which calls to measure
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "tcp4,udp4,datagram4,tcp6,udp6,datagram6",
        value_name = "CALL,..."
    )]
    calls: Vec<Kind>,

    /// How many rounds, in each of which every way takes its turn
    #[arg(long, default_value_t = 100, value_name = "TIMES")]
    rounds: u32,

    /// Measure this binary and build none
    #[arg(long, value_name = "PATH")]
    lrpc: Option<PathBuf>,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    if !Path::new(places::NFT).exists() {
        packages::install(["nftables"].into_iter())?;
    }
    let tools = Tools { lrpc: super::binary(repository, args.lrpc.as_deref())?, empty: empty(repository)? };
    println!("Microseconds a call; a ratio is the median of the rounds.\n");
    println!(
        "| frontends | call | way | median | fastest | : plain | : empty | nft : this | receive : plain \
         | close : plain |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for &count in &args.frontends {
        for &kind in &args.calls {
            // A sandbox changes the namespaces of its thread for good.
            let (tools, rounds) = (tools.clone(), args.rounds);
            let done = thread::spawn(move || measure(&tools, count, kind, rounds)).join();
            done.map_err(|_| Failure("the bench panicked".into()))??;
        }
    }
    Ok(())
}

/// The programs that the bench runs.
#[derive(Clone, Debug)]
struct Tools {
    lrpc: PathBuf,
    /// Attaches a program that does nothing.
    empty: PathBuf,
}

fn empty(repository: &Repository) -> Result<PathBuf> {
    repository::run(repository.cargo().args(["build", "--package", "lrpc-loader", "--example", "empty"]))?;
    Ok(repository.target().join("debug/examples/empty"))
}

fn measure(tools: &Tools, count: u32, kind: Kind, rounds: u32) -> Result<()> {
    let mut ways = Ways::prepare(tools, count, kind)?;
    let mut figures = vec![Figures::default(); ways.len()];
    for round in 0..rounds as usize {
        // Whoever comes first finds another's cache, so each does in turn.
        for turn in 0..figures.len() {
            let way = (round + turn) % figures.len();
            let cost = ways.batch(way)?;
            if let Some(figures) = figures.get_mut(way) {
                figures.add(cost);
            }
        }
    }
    for (way, own) in ways.iter().zip(&figures) {
        if let [Some(plain), Some(empty), Some(nft)] = way.beside.map(|beside| figures.get(beside)) {
            println!("| {count} | {kind} | {} | {} |", way.name, own.cells([plain, empty, nft]));
        }
    }
    Ok(())
}

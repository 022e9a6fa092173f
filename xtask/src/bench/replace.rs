//! What replacing a node's set costs, `lrpc apply` from process start to exit, beside `nft -f` with the same
//! frontends as one map of a `dnat` rule.
//!
//! Both run in one sandbox: a network namespace without a way out, a scratch cgroup, a bpffs of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::thread;

use testkit::Sandbox;

use super::generate::{self, Set};
use super::measure::{Cost, once};
use crate::packages;
use crate::repository::{Failure, Repository, Result, write};

const NFT: &str = "/usr/sbin/nft";
const NODE: &str = "worker-1";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many frontends, each a policy of its own, for each block of the table
    #[arg(long, value_delimiter = ',', default_value = "10,10000,100000", value_name = "COUNT,...")]
    frontends: Vec<usize>,

    /// How many rounds of each command, there and back; the fastest run counts
    #[arg(long, default_value_t = 4, value_name = "TIMES")]
    runs: u32,

    /// Measure this binary and build none
    #[arg(long, value_name = "PATH")]
    lrpc: Option<PathBuf>,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    if !Path::new(NFT).exists() {
        packages::install(["nftables"].into_iter())?;
    }
    let lrpc = super::binary(repository, args.lrpc.as_deref())?;
    println!("| frontends | what | lrpc apply | processor | peak memory | nft -f | nft : lrpc |");
    println!("|---|---|---|---|---|---|---|");
    for &count in &args.frontends {
        // A sandbox changes the namespaces of its thread for good.
        let (lrpc, runs) = (lrpc.clone(), args.runs);
        let done = thread::spawn(move || Bench::new(lrpc, runs, count)?.rows()).join();
        done.map_err(|_| Failure("the bench panicked".into()))??;
    }
    Ok(())
}

/// One sandbox with the images and rule sets of one size.
struct Bench {
    lrpc: PathBuf,
    runs: u32,
    count: usize,
    sandbox: Sandbox,
}

impl Bench {
    fn new(lrpc: PathBuf, runs: u32, count: usize) -> Result<Self> {
        let sandbox = Sandbox::enter()
            .map_err(|error| Failure(format!("a sandbox needs root, cgroup v2 and `ip`: {error}")))?;
        let bench = Self { lrpc, runs, count, sandbox };
        write(&bench.file("inventory.yaml"), generate::one_pod(NODE).as_bytes())?;
        for set in Set::ALL {
            let (folder, image) = (bench.file(set.name), bench.file(&format!("{}.lrpc", set.name)));
            generate::one_port_policies(&folder, count, set)?;
            once(0, &[bench.lrpc.as_path(), "compile".as_ref(), &folder, "-o".as_ref(), &image])?;
            write(&bench.file(&format!("{}.nft", set.name)), whole(count, set).as_bytes())?;
        }
        write(&bench.file("to-changed.nft"), one_element(Set::OLD, Set::CHANGED).as_bytes())?;
        write(&bench.file("to-old.nft"), one_element(Set::CHANGED, Set::OLD).as_bytes())?;
        Ok(bench)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.sandbox.folder().join(name)
    }

    /// Rounds in which each command takes its turn, so that all of them meet the same neighbours.
    fn rows(&self) -> Result<()> {
        self.apply("old")?;
        self.nft("old")?;
        let (mut replace, mut change) = (Fastest::default(), Fastest::default());
        let (mut nft_replace, mut nft_change) = (Fastest::default(), Fastest::default());
        for _ in 0..self.runs {
            for set in ["new", "old"] {
                replace.add(self.apply(set)?);
                nft_replace.add(self.nft(set)?);
            }
            for (set, step) in [("changed", "to-changed"), ("old", "to-old")] {
                change.add(self.apply(set)?);
                nft_change.add(self.nft(step)?);
            }
        }
        self.print("the whole set replaced", replace.cost()?, nft_replace.cost()?);
        self.print("one policy changed", change.cost()?, nft_change.cost()?);
        Ok(())
    }

    fn apply(&self, set: &str) -> Result<Cost> {
        let path = |name: &str| self.file(name).display().to_string();
        let (image, inventory) = (path(&format!("{set}.lrpc")), path("inventory.yaml"));
        let mut words = vec![self.lrpc.display().to_string()];
        words.extend(["apply", &image, "--inventory", &inventory, "--node", NODE].map(str::to_owned));
        words.extend(self.sandbox.options());
        once(0, &words)
    }

    fn nft(&self, file: &str) -> Result<Cost> {
        once(0, &[Path::new(NFT), "-f".as_ref(), &self.file(&format!("{file}.nft"))])
    }

    fn print(&self, what: &str, lrpc: Cost, nft: Cost) {
        let milliseconds = |seconds: f64| format!("{:.0} ms", seconds * 1e3);
        let wall = |cost: Cost| cost.wall.as_secs_f64();
        println!(
            "| {} | {what} | {} | {} | {:.0} MB | {} | {:.2} |",
            self.count,
            milliseconds(wall(lrpc)),
            milliseconds(lrpc.processor),
            lrpc.peak / 1e6,
            milliseconds(wall(nft)),
            wall(nft) / wall(lrpc),
        );
    }
}

/// The fastest of several runs.
#[derive(Default)]
struct Fastest(Option<Cost>);

impl Fastest {
    fn add(&mut self, cost: Cost) {
        if self.0.is_none_or(|best| cost.wall < best.wall) {
            self.0 = Some(cost);
        }
    }

    fn cost(&self) -> Result<Cost> {
        self.0.ok_or_else(|| Failure("--runs 0 measures nothing".into()))
    }
}

/// The frontends as a table of nft that takes the place of the one before in one transaction.
fn whole(count: usize, set: Set) -> String {
    let mut text = "add table ip bench\ndelete table ip bench\ntable ip bench {\n map frontends {\n  \
                    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service\n  elements = {\n"
        .to_owned();
    for number in 0..count {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "   {},", element(number, set));
    }
    text + "  }\n }\n chain output {\n  type nat hook output priority -100\n  \
            dnat ip to ip daddr . meta l4proto . th dport map @frontends\n }\n}\n"
}

/// The one element in which two sets differ, put in the place of the other.
fn one_element(from: Set, to: Set) -> String {
    let (old, new) = (element(0, from), element(0, to));
    format!("delete element ip bench frontends {{ {old} }}\nadd element ip bench frontends {{ {new} }}\n")
}

fn element(number: usize, set: Set) -> String {
    let (frontend, backend) = (generate::frontend_address(number), set.backend_port(number));
    let (port, pod) = (generate::FRONTEND_PORT, generate::POD_ADDRESS);
    format!("{frontend} . tcp . {port} : {pod} . {backend}")
}

//! What `lrpc compile` and `lrpc check` cost, beside kubeconform on the same files where it is at hand.

use std::fs;
use std::path::{Path, PathBuf};

use super::generate;
use super::measure::{Cost, best};
use crate::repository::{Failure, Repository, Result, write};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many policies to generate, for each row of the table
    #[arg(long, value_delimiter = ',', default_value = "10,10000,100000", value_name = "COUNT,...")]
    policies: Vec<usize>,

    /// How often to run each command; the fastest run counts
    #[arg(long, default_value_t = 3, value_name = "TIMES")]
    runs: u32,

    /// Measure this binary and build none
    #[arg(long, value_name = "PATH")]
    lrpc: Option<PathBuf>,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    let bench = Bench {
        lrpc: super::binary(repository, args.lrpc.as_deref())?,
        kubeconform: on_path("kubeconform"),
        schema: repository.path("schema/json/manifest.schema.json"),
        scratch: repository.target().join("bench"),
        runs: args.runs,
    };
    bench.once()?;
    println!(
        "| policies | MB | command | wall | µs a policy | MB/s | peak memory : input | kubeconform : this |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    args.policies.iter().try_for_each(|count| bench.rows(*count))
}

struct Bench {
    lrpc: PathBuf,
    kubeconform: Option<PathBuf>,
    schema: PathBuf,
    scratch: PathBuf,
    runs: u32,
}

impl Bench {
    /// What does not grow with the input.
    fn once(&self) -> Result<()> {
        let size = fs::metadata(&self.lrpc).map_err(|error| Failure(format!("lrpc: {error}")))?.len();
        println!("binary: {:.1} MB", megabytes(size as f64));
        let wrong = self.scratch.join("wrong.yaml");
        write(&wrong, b"apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\n")?;
        let cost = best(self.runs.max(20), 1, &[self.lrpc.as_os_str(), "check".as_ref(), wrong.as_os_str()])?;
        println!("cold start to the first diagnostic: {:.1} ms", cost.wall.as_secs_f64() * 1e3);
        if self.kubeconform.is_none() {
            println!("kubeconform is not on PATH; its column stays empty");
        }
        println!();
        Ok(())
    }

    fn rows(&self, count: usize) -> Result<()> {
        let folder = self.scratch.join(count.to_string());
        // Left-overs of another generator would be compiled as well.
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
        }
        let bytes = generate::policies(&folder, count)? as f64;
        let image = self.scratch.join("bench.lrpc");
        let lrpc = |command: &str, more: &[&Path]| {
            let mut words = vec![self.lrpc.clone(), command.into(), folder.clone()];
            words.extend(more.iter().map(|word| word.to_path_buf()));
            best(self.runs, 0, &words)
        };
        let compile = lrpc("compile", &["-o".as_ref(), &image])?;
        let check = lrpc("check", &[])?;
        write(&folder.join("policies-00000.yaml"), b"# changed\n")?;
        let again = lrpc("check", &["--allow-empty".as_ref()])?;
        generate::policies(&folder, count)?;
        let other =
            self.kubeconform.as_ref().map(|kubeconform| self.compare(kubeconform, &folder)).transpose()?;
        let row = |name: &str, cost: Cost| print_row(name, count, bytes, cost, other);
        row("compile", compile);
        row("check", check);
        row("check after one file changed", again);
        if let Some(other) = other {
            row("kubeconform -n 2", other);
        }
        Ok(())
    }

    /// kubeconform with the schema that lrpc gives editors, so that nothing is fetched.
    fn compare(&self, kubeconform: &Path, folder: &Path) -> Result<Cost> {
        let words = [kubeconform.as_os_str(), "-n".as_ref(), "2".as_ref(), "-schema-location".as_ref()];
        best(self.runs, 0, &[&words[..], &[self.schema.as_os_str(), folder.as_os_str()]].concat())
    }
}

fn print_row(name: &str, count: usize, bytes: f64, cost: Cost, other: Option<Cost>) {
    let seconds = cost.wall.as_secs_f64();
    let ratio = other.map_or(String::new(), |other| format!("{:.1}", other.wall.as_secs_f64() / seconds));
    println!(
        "| {count} | {:.1} | {name} | {:.1} ms | {:.1} ({:.1} of processor) | {:.1} | {:.1} | {ratio} |",
        megabytes(bytes),
        seconds * 1e3,
        seconds * 1e6 / count as f64,
        cost.processor * 1e6 / count as f64,
        megabytes(bytes) / seconds,
        cost.peak / bytes,
    );
}

fn megabytes(bytes: f64) -> f64 {
    bytes / 1e6
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
}

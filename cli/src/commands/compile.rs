//! `lrpc compile`: manifests to an image.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lrpc_schema::image::Policy;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::arguments::{InventoryArgs, ManifestArgs};
use crate::compilation;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::inventory;
use crate::manifests;
use crate::output::{Format, Output};
use crate::report::human::{self, Detail};
use crate::report::json::{self, DiagnosticView};

/// Check manifests and write their image
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc compile policies -o policies.lrpc")]
pub(crate) struct Args {
    #[command(flatten)]
    manifests: ManifestArgs,

    /// Where to write the image; - for standard output
    #[arg(short, long, value_name = "IMAGE")]
    output: PathBuf,

    /// Leave out where the policies were written
    #[arg(long)]
    strip: bool,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// End with 1, and write no image, also for warnings
    #[arg(long)]
    deny_warnings: bool,

    /// Show each of many diagnostics of one kind
    #[arg(long)]
    all: bool,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct CompileView<'a> {
    image: Option<String>,
    digest: Option<String>,
    policies: usize,
    frontends: Option<usize>,
    diagnostics: Vec<DiagnosticView<'a>>,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let to_stdout = args.output == Path::new("-");
    if to_stdout && args.format == Format::Json {
        return Err(Failure::new("the image and the JSON would both go to standard output")
            .help("write the image to a file, or leave out `--format json`"));
    }
    if manifests::is_manifest(&args.output) {
        return Err(Failure::new(format!("an image does not go to `{}`", args.output.display())).help(
            "a file of that name is read as a manifest, and the next run would meet bytes; name it `NAME.lrpc`",
        ));
    }
    let inventory = inventory::read(&args.inventory.inventory)?;
    let compilation = compilation::compile(&args.manifests, inventory.as_ref())?;
    let conclusion = compilation.conclude(args.deny_warnings);
    let plan = compilation.plan.as_ref().filter(|_| matches!(conclusion, Ok(ExitStatus::Done)));
    let image = plan.map(|plan| lrpc_compiler::emit(plan, args.strip));
    match &image {
        Some(image) if to_stdout => output.bytes(image.bytes())?,
        Some(image) => write(&args.output, image.bytes())?,
        None => {}
    }
    let shown = args.output.display().to_string();
    match args.format {
        Format::Json => output.json(&CompileView {
            image: image.as_ref().map(|_| shown),
            digest: image.as_ref().map(|image| image.digest().to_string()),
            policies: compilation.policies,
            frontends: image.as_ref().map(|image| image.policies().iter().map(frontends).sum()),
            diagnostics: json::views(&compilation.reports),
        })?,
        Format::Human => {
            let detail = Detail::asked(args.all);
            output.message(human::render(&compilation.reports, detail, output.messages()));
            output.note(compilation.summary());
            match &image {
                Some(image) if to_stdout => output.note(image.digest().to_string()),
                Some(image) => output.result(format!("{shown} {}", image.digest()))?,
                None => output.note("no image was written"),
            }
        }
    }
    conclusion
}

/// Listed frontend ports, and one for an all-ports policy.
fn frontends(policy: &Policy) -> usize {
    policy.frontend.ports().len().max(1)
}

/// Writes the image, so that no reader of a file meets half of one. What is there and is no file (a pipe, a
/// device) is written to, never replaced.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let is_special = fs::metadata(path).is_ok_and(|there| !there.is_file());
    let written = if is_special { fs::write(path, bytes) } else { replace(path, bytes) };
    written.map_err(|error| {
        Failure::new(format!("{} cannot be written", path.display()))
            .because(&error)
            .help("name a file in a folder that exists and can be written")
    })
}

/// Writes a file beside its place and moves it there.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::metadata(folder)?;
    let made = temporary(folder);
    // The error alone: with it comes the temporary file's name, which the user never gave.
    let mut file = made.map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// A temporary file with the rights of any new file, as far as the umask lets them; its own would be the
/// owner's alone.
#[cfg(unix)]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    let rights = fs::Permissions::from_mode(0o666);
    tempfile::Builder::new().permissions(rights).tempfile_in(folder)
}

/// A temporary file, whose rights are those that the folder gives.
#[cfg(not(unix))]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().tempfile_in(folder)
}

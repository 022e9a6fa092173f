//! A set of policies, as every command takes it: an image, manifests (a file, a folder, `-`), or a revision of
//! a git repository.
//!
//! What is given decides by its bytes: an image begins with its magic number, everything else is manifests,
//! which are compiled here. A file that is called `*.lrpc` must be an image.

mod git;
mod image;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lrpc_compiler::Source;
use lrpc_schema::image::Image;

use crate::arguments::{RulesArgs, SetArgs};
use crate::compilation::{self, Compilation, Rules};
use crate::exit::{ExitStatus, Failure};
use crate::manifests::{self, InputFile, Unreadable};
use crate::output::Output;
use crate::report::Report;
use crate::report::human::{self, Detail};

/// A set that cannot be used, with what is wrong in its manifests.
pub(crate) struct Unusable {
    pub(crate) failure: Failure,
    pub(crate) reports: Vec<Report>,
}

impl From<Failure> for Unusable {
    fn from(failure: Failure) -> Self {
        Self { failure, reports: Vec::new() }
    }
}

/// The set that a command cannot do without. What is wrong in its manifests is said on standard error.
///
/// # Errors
/// As [`read`].
pub(crate) fn require(args: &SetArgs, output: Output) -> Result<Image, Failure> {
    require_path(&args.set, &args.rules, output)
}

/// [`require`] for a set that is not an argument of that name.
///
/// # Errors
/// As [`read`].
pub(crate) fn require_path(set: &Path, rules: &RulesArgs, output: Output) -> Result<Image, Failure> {
    read(set, Rules::of(rules)).map_err(|unusable| {
        output.message(human::render(&unusable.reports, Detail::BESIDE, output.messages()));
        unusable.failure
    })
}

/// The set that an argument names. Warnings about manifests are not told: they are `lrpc check`'s.
///
/// # Errors
/// When it cannot be read, when an image is damaged, or when manifests do not compile.
pub(crate) fn read(set: &Path, rules: Rules<'_>) -> Result<Image, Unusable> {
    if let Some(revision) = set.to_str().and_then(git::Revision::named).transpose()? {
        return compiled(revision.read()?, rules);
    }
    if set.extension().is_some_and(|extension| extension == "lrpc") && !set.is_dir() {
        return Ok(image::read(set)?);
    }
    if set.is_dir() || manifests::is_manifest(set) {
        return compiled(manifests::read(&[set.to_owned()]), rules);
    }
    match contents(set) {
        Ok(bytes) if Image::is_begun_in(&bytes) => Ok(image::decode(set, bytes)?),
        Ok(bytes) => {
            let file = InputFile { name: set.to_string_lossy().into_owned(), bytes };
            compiled((vec![file], Vec::new()), rules)
        }
        Err(error) => compiled((Vec::new(), vec![Unreadable { path: set.to_owned(), error }]), rules),
    }
}

/// One set, or several paths of manifests that are compiled together.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_all(sets: &[PathBuf], rules: Rules<'_>) -> Result<Image, Unusable> {
    match sets {
        [one] => read(one, rules),
        several => compiled(manifests::read(several), rules),
    }
}

/// What is in a file, a pipe or standard input: an image whole, of anything else no more than makes it too
/// long for a manifest.
fn contents(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        return bounded(io::stdin().lock());
    }
    bounded(File::open(path)?)
}

fn bounded(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(Source::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if Image::is_begun_in(&bytes) {
        from.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn compiled(found: (Vec<InputFile>, Vec<Unreadable>), rules: Rules<'_>) -> Result<Image, Unusable> {
    let compilation = compilation::compile_read(found, rules, None)?;
    let conclusion = compilation.conclude(false);
    let Compilation { plan, reports, .. } = compilation;
    match (plan, conclusion) {
        (Some(plan), Ok(ExitStatus::Done)) => Ok(lrpc_compiler::emit(&plan, false)),
        (_, Err(failure)) => Err(Unusable { failure, reports }),
        _ => {
            let failure = Failure::new("the manifests have errors")
                .help("mend them until `lrpc check` finds none; the lrpc.toml of this run counts for them");
            Err(Unusable { failure, reports })
        }
    }
}

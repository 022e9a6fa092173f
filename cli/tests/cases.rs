//! A folder below `testdata/cases` with a `case.toml` is a test: the command line is run in that folder, and
//! its exit code and output are compared with the files beside it.
//!
//! `LRPC_BLESS=1` (or `cargo xtask bless`) rewrites the files from what the command says; read the
//! difference before you commit it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

/// One test: what to run and how it ends. Which outputs are asserted is said by which goldens exist:
/// `stdout.txt`, `stderr.txt`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows, for the reader.
    #[expect(dead_code, reason = "read by people, and required of them")]
    about: String,
    /// Command lines that are run first and must end with 0, such as the compile of an image to link.
    #[serde(default)]
    before: Vec<Vec<String>>,
    /// A file for standard input; without one it is empty.
    stdin: Option<String>,
    /// The arguments; `{out}` is a scratch folder of the test's own.
    args: Vec<String>,
    /// The exit code.
    exit: i32,
    /// The outputs that are goldens: `stdout`, `stderr`.
    goldens: Vec<String>,
}

fn check(path: &Path) -> datatest_stable::Result<()> {
    let folder = path.parent().ok_or("a case has a folder")?;
    let case: Case = toml::from_str(&fs::read_to_string(path)?)?;
    let scratch = tempfile::tempdir()?;
    let out = scratch.path().to_str().ok_or("the scratch folder's name is UTF-8")?;

    let lrpc = |arguments: &[String], stdin: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_lrpc"))
            .args(arguments.iter().map(|argument| argument.replace("{out}", out)))
            .current_dir(folder)
            .env_clear()
            .stdin(stdin)
            .output()
    };
    for arguments in &case.before {
        let run = lrpc(arguments, Stdio::null())?;
        if !run.status.success() {
            let said = String::from_utf8_lossy(&run.stderr);
            return Err(format!("before the case: lrpc {}: {said}", arguments.join(" ")).into());
        }
    }
    let stdin = match &case.stdin {
        Some(file) => Stdio::from(File::open(folder.join(file))?),
        None => Stdio::null(),
    };
    let run = lrpc(&case.args, stdin)?;
    let said = |bytes: Vec<u8>| String::from_utf8(bytes).map(|text| text.replace(out, "{out}"));
    let (stdout, stderr) = (said(run.stdout)?, said(run.stderr)?);

    let bless = std::env::var_os("LRPC_BLESS").is_some();
    for golden in &case.goldens {
        let found = match golden.as_str() {
            "stdout" => &stdout,
            "stderr" => &stderr,
            other => return Err(format!("`{other}` is not an output").into()),
        };
        let file = folder.join(format!("{golden}.txt"));
        if bless {
            fs::write(&file, found)?;
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if *found != expected {
            return Err(format!(
                "{golden} differs from {}\n--- expected\n{expected}\n--- found\n{found}",
                file.display()
            )
            .into());
        }
    }
    if run.status.code() != Some(case.exit) {
        return Err(format!(
            "ended with {}, expected {}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
            run.status, case.exit
        )
        .into());
    }
    Ok(())
}

datatest_stable::harness! {
    { test = check, root = "../testdata/cases", pattern = r"case\.toml$" },
}

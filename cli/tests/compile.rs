//! What `lrpc compile` promises about its image.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

fn lrpc(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// The digest and the bytes of what `PATH` compiles to.
fn compiled(path: &Path, more: &[&str], folder: &Path) -> (String, Vec<u8>) {
    let image = folder.join("image.lrpc");
    let arguments = ["compile", path.to_str().unwrap(), "-o", image.to_str().unwrap(), "--format", "json"];
    let output = lrpc(&[&arguments, more].concat(), folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    (result["digest"].as_str().unwrap().to_owned(), fs::read(image).unwrap())
}

/// Every manifest of a folder.
fn manifests(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| if path.is_dir() { manifests(&path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect()
}

/// File names, their order, and the documents' order within a file do not matter.
#[test]
fn two_orders_give_one_digest() {
    let scratch = tempfile::tempdir().unwrap();
    let (digest, bytes) = compiled(&policies(), &[], scratch.path());

    let mut files = manifests(&policies());
    files.sort();
    let (forth, back) = (scratch.path().join("forth"), scratch.path().join("back"));
    fs::create_dir_all(&forth).unwrap();
    fs::create_dir_all(&back).unwrap();
    for (place, file) in files.iter().enumerate() {
        fs::copy(file, forth.join(format!("{place:03}.yaml"))).unwrap();
        fs::copy(file, back.join(format!("{:03}.yaml", files.len() - place))).unwrap();
    }
    let texts: Vec<String> = files.iter().rev().map(|file| fs::read_to_string(file).unwrap()).collect();
    let joined = scratch.path().join("joined.yaml");
    fs::write(&joined, texts.join("\n---\n")).unwrap();

    for path in [&forth, &back, &joined] {
        assert_eq!(compiled(path, &[], scratch.path()).0, digest, "{}", path.display());
    }
    let (stripped, fewer) = compiled(&policies(), &["--strip"], scratch.path());
    assert_eq!(stripped, digest);
    assert!(fewer.len() < bytes.len());
    assert_eq!(compiled(&policies(), &["--strip"], scratch.path()).1, fewer, "bytes are reproducible");
    let one = compiled(&policies().join("kiam-eks"), &[], scratch.path()).0;
    assert_ne!(one, digest);
}

/// One core or many, and whatever the locale: the same bytes.
#[test]
fn threads_and_locale_are_not_heard() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, expected) = compiled(&policies(), &["--strip"], scratch.path());
    for (cores, locale) in [("0", "C"), ("0", "tr_TR.UTF-8"), ("0-63", "de_DE.ISO-8859-1")] {
        let mut command = Command::new("taskset");
        command.args([
            "--cpu-list",
            cores,
            env!("CARGO_BIN_EXE_lrpc"),
            "compile",
            "--strip",
            "-o",
            "other.lrpc",
        ]);
        let output =
            command.arg(policies()).current_dir(scratch.path()).env("LC_ALL", locale).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read(scratch.path().join("other.lrpc")).unwrap(), expected, "{cores} {locale}");
    }
}

/// What was there before stays, byte for byte.
#[test]
fn an_error_writes_no_image() {
    let scratch = tempfile::tempdir().unwrap();
    let manifest = fs::read_to_string(policies().join("address-redirect/policy.yaml")).unwrap();
    let wrong = scratch.path().join("wrong.yaml");
    fs::write(&wrong, manifest.replace("\"8080\"", "\"80800\"")).unwrap();
    fs::write(scratch.path().join("kept.lrpc"), "kept").unwrap();
    let output = lrpc(&["compile", "wrong.yaml", "-o", "kept.lrpc"], scratch.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(scratch.path().join("kept.lrpc")).unwrap(), "kept");
    let output = lrpc(&["compile", "wrong.yaml", "-o", "none.lrpc"], scratch.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(!scratch.path().join("none.lrpc").exists());
    let left: Vec<_> =
        fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "no half-written file stays: {left:?}");
}

/// What is there and is no file is written to, not replaced; a file gets the rights of any new file.
#[test]
fn an_image_replaces_files_only() {
    let scratch = tempfile::tempdir().unwrap();
    let pipe = scratch.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    let policy = policies().join("address-redirect");
    let output = lrpc(&["compile", policy.to_str().unwrap(), "-o", "pipe"], scratch.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "the pipe is still one");
    assert_eq!(reader.join().unwrap(), compiled(&policy, &[], scratch.path()).1);

    let new = scratch.path().join("new");
    fs::write(&new, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&scratch.path().join("image.lrpc")), mode(&new));
}

/// A file that cannot be read ends with 2; the findings of the others are printed all the same.
#[test]
fn an_unreadable_file_hides_no_finding() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("a.yaml"), "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\n")
        .unwrap();
    let output = lrpc(&["check", "a.yaml", "missing.yaml", "--format", "concise"], scratch.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("a.yaml:2:7: error[missing-field]"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing.yaml"));
}

/// `-o -` writes the image alone to standard output, and `-` reads it back.
#[test]
fn an_image_goes_through_a_pipe() {
    let scratch = tempfile::tempdir().unwrap();
    let (digest, bytes) = compiled(&policies(), &[], scratch.path());
    let source = policies();
    let output = lrpc(&["compile", source.to_str().unwrap(), "-o", "-"], scratch.path());
    assert!(output.status.success());
    assert_eq!(output.stdout, bytes);

    let piped = fs::File::open(scratch.path().join("image.lrpc")).unwrap();
    let mut inspect = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    let inspected =
        inspect.args(["inspect", "-", "--format", "json"]).env_clear().stdin(piped).output().unwrap();
    let shown: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(shown["digest"], digest);

    let both = lrpc(&["compile", source.to_str().unwrap(), "-o", "-", "--format", "json"], scratch.path());
    assert_eq!((both.status.code(), both.stdout.len()), (Some(2), 0));
}

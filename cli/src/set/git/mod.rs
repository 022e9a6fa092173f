//! The set `DIR.git#branch=B,subdir=D`: the manifests of a revision, read out of a local repository by `git`
//! into memory. Nothing is checked out and nothing is fetched.

mod objects;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::objects::{Entry, ObjectsError};
use crate::exit::Failure;
use crate::manifests::{InputFile, Unreadable, is_hidden, is_manifest};

/// Which commit is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    Head,
    Branch(String),
    Tag(String),
    Commit(String),
    Ref(String),
}

/// A folder or file in a commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revision {
    repository: String,
    commit: Named,
    /// Below the root, without slashes around it; empty is the root.
    subdir: String,
}

const SYNTAX: &str = "write DIR.git#branch=NAME,subdir=FOLDER; tag=, commit= or ref= may stand for branch=";

impl Revision {
    /// The revision that an argument names; `None` where it names something else.
    ///
    /// # Errors
    /// When it is meant as a revision and is none.
    pub(super) fn named(argument: &str) -> Option<Result<Self, Failure>> {
        let (repository, options) = argument.split_once('#').unwrap_or((argument, ""));
        let is_repository = repository.trim_end_matches('/').ends_with(".git");
        // A file may have a `#` in its name.
        (is_repository && !Path::new(argument).is_file()).then(|| Self::parse(repository, options))
    }

    fn parse(repository: &str, options: &str) -> Result<Self, Failure> {
        if repository.contains("://") || repository.starts_with("git@") {
            return Err(Failure::new(format!("`{repository}` is not on this machine"))
                .help("clone it first, and name the clone's .git"));
        }
        let (mut commit, mut subdir) = (Named::Head, String::new());
        for option in options.split(',').filter(|option| !option.is_empty()) {
            let unknown = || Failure::new(format!("`{option}` says nothing about a revision")).help(SYNTAX);
            let (key, value) = option.split_once('=').ok_or_else(unknown)?;
            // A value that begins with a dash would be an option of git.
            if value.is_empty() || value.starts_with('-') {
                return Err(unknown());
            }
            let value = value.to_owned();
            let named = match key {
                "branch" => Named::Branch(value),
                "tag" => Named::Tag(value),
                "commit" => Named::Commit(value),
                "ref" => Named::Ref(value),
                "subdir" => {
                    subdir = inside(&value).ok_or_else(unknown)?;
                    continue;
                }
                _ => return Err(unknown()),
            };
            if commit != Named::Head {
                return Err(Failure::new(format!("`{options}` names two revisions")).help(SYNTAX));
            }
            commit = named;
        }
        Ok(Self { repository: repository.to_owned(), commit, subdir })
    }

    /// The manifests, as they would be found in the folder, and what there cannot be read. Names are as git
    /// spells them: `main:policies/kiam.yaml`.
    ///
    /// # Errors
    /// When there is no such repository, revision or folder, or git cannot be run.
    pub(super) fn read(&self) -> Result<(Vec<InputFile>, Vec<Unreadable>), Failure> {
        if !Path::new(&self.repository).exists() {
            return Err(Failure::new(format!("there is no repository `{}`", self.repository)).help(SYNTAX));
        }
        let commit = self.commit()?;
        let entries = self.entries(&commit)?;
        let (mut blobs, mut unreadable) = (Vec::new(), Vec::new());
        for entry in entries {
            let name = self.name_of(&entry.path);
            if entry.is_link {
                let error = io::Error::other("it is a symbolic link, which is not followed in a revision");
                unreadable.push(Unreadable { path: PathBuf::from(name), error });
            } else {
                blobs.push((name, entry.object));
            }
        }
        Ok((self.contents(blobs)?, unreadable))
    }

    /// The commit's id.
    fn commit(&self) -> Result<String, Failure> {
        let (what, name, candidates) = match &self.commit {
            Named::Head => ("commit", "HEAD", vec!["HEAD".to_owned()]),
            // A checkout of CI often has the other branches as remote ones alone.
            Named::Branch(name) => {
                let remote = format!("refs/remotes/origin/{name}");
                ("branch", name.as_str(), vec![format!("refs/heads/{name}"), remote])
            }
            Named::Tag(name) => ("tag", name.as_str(), vec![format!("refs/tags/{name}")]),
            Named::Commit(name) => ("commit", name.as_str(), vec![name.clone()]),
            Named::Ref(name) => ("ref", name.as_str(), vec![name.clone()]),
        };
        for candidate in candidates {
            let found =
                self.git(&["rev-parse", "--verify", "--quiet", &format!("{candidate}^{{commit}}")])?;
            if let Some(id) = found {
                return Ok(text(&id));
            }
        }
        // Git's own words where the repository as a whole is no good.
        self.must(&["rev-parse", "--git-dir"])?;
        Err(Failure::new(format!("`{}` has no {what} `{name}`", self.repository)).help(SYNTAX))
    }

    /// The manifests below the folder; a file that is named is one whatever its name.
    fn entries(&self, commit: &str) -> Result<Vec<Entry>, Failure> {
        let object = format!("{commit}:{}", self.subdir);
        let missing = || {
            Failure::new(format!("`{}` has no `{}` at {}", self.repository, self.subdir, self.shown()))
                .help("subdir= is a folder or file below the root of the repository")
        };
        let kind = self.git(&["cat-file", "-t", &object])?.ok_or_else(missing)?;
        if text(&kind) == "blob" {
            return Ok(vec![Entry { path: String::new(), object, is_link: false }]);
        }
        let mut list = self.command(&["ls-tree", "-r", "-z", "--full-tree", &object]);
        let listed = objects::list(&mut list, is_meant).map_err(|error| self.unreadable(&error))?;
        let mut entries = listed.ok_or_else(|| self.unreadable(&ObjectsError::Unsaid))?;
        entries.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
        Ok(entries)
    }

    /// The contents of blobs, in their order, from one run of git.
    fn contents(&self, blobs: Vec<(String, String)>) -> Result<Vec<InputFile>, Failure> {
        let mut batch = self.command(&["cat-file", "--batch"]);
        batch.stdin(Stdio::piped());
        let wanted: Vec<&str> = blobs.iter().map(|(_, object)| object.as_str()).collect();
        let contents = objects::contents(&mut batch, &wanted).map_err(|error| self.unreadable(&error))?;
        let names = blobs.into_iter().map(|(name, _)| name);
        Ok(names.zip(contents).map(|(name, bytes)| InputFile { name, bytes }).collect())
    }

    /// What git has cannot be used as a set.
    fn unreadable(&self, error: &ObjectsError) -> Failure {
        let place = match self.subdir.as_str() {
            "" => self.repository.clone(),
            subdir => format!("{}, {subdir}", self.repository),
        };
        Failure::new(format!("`{place}` cannot be read at {}", self.shown()))
            .because(error)
            .help("name the folder of the policies with subdir=")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(&self.repository).args(arguments);
        command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What git prints; `None` where it ends with an error.
    fn git(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>, Failure> {
        let output = self.command(arguments).output().map_err(|error| unstartable(&error))?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// What git prints, where nothing but a broken repository makes it fail.
    fn must(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = self.command(arguments).output().map_err(|error| unstartable(&error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = io::Error::other(text(&output.stderr));
        Err(Failure::new(format!("git cannot read `{}`", self.repository)).because(&said).help(SYNTAX))
    }

    fn shown(&self) -> &str {
        match &self.commit {
            Named::Head => "HEAD",
            Named::Branch(name) | Named::Tag(name) | Named::Commit(name) | Named::Ref(name) => name,
        }
    }

    fn name_of(&self, path: &str) -> String {
        let slash = if self.subdir.is_empty() || path.is_empty() { "" } else { "/" };
        format!("{}:{}{slash}{path}", self.shown(), self.subdir)
    }
}

/// Read as in a folder: by its name, unless it or a folder around it is hidden.
fn is_meant(entry: &Entry) -> bool {
    let path = Path::new(&entry.path);
    is_manifest(path) && !path.iter().any(is_hidden)
}

/// A path below the root, without slashes around it; `None` where it leads out.
fn inside(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!path.starts_with('/') && !parts.contains(&"..")).then(|| parts.join("/"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn unstartable(error: &io::Error) -> Failure {
    Failure::new("git cannot be run").because(error).help("a set in a git repository needs the `git` command")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(argument: &str) -> Revision {
        Revision::named(argument).unwrap().ok().unwrap()
    }

    #[test]
    fn a_revision_is_a_repository_with_options() {
        let revision = parsed("../x/.git#branch=main,subdir=./policies/");
        assert_eq!(revision.repository, "../x/.git");
        assert_eq!(revision.commit, Named::Branch("main".into()));
        assert_eq!(revision.subdir, "policies");
        assert_eq!(revision.name_of("a/b.yaml"), "main:policies/a/b.yaml");
        assert_eq!(parsed(".git").commit, Named::Head);
        assert_eq!(parsed("x.git/#tag=v1").commit, Named::Tag("v1".into()));
        assert_eq!(parsed(".git#commit=abc").commit, Named::Commit("abc".into()));
        assert_eq!(parsed(".git#ref=HEAD~1").commit, Named::Ref("HEAD~1".into()));
        assert_eq!(parsed(".git").name_of("a.yaml"), "HEAD:a.yaml");
    }

    #[test]
    fn other_arguments_are_no_revision() {
        for argument in ["policies", "image.lrpc", "a#b.yaml", "live", "-", "x.gitignore"] {
            assert!(Revision::named(argument).is_none(), "{argument}");
        }
    }

    #[test]
    fn what_names_no_revision_is_refused() {
        for options in [
            "main",
            "branch=",
            "branch=a,tag=b",
            "depth=1",
            "ref=--all",
            "subdir=../x",
            "subdir=/x",
            "subdir=a/../../x",
        ] {
            assert!(Revision::named(&format!(".git#{options}")).unwrap().is_err(), "{options}");
        }
        assert!(Revision::named("https://example.com/x.git#branch=main").unwrap().is_err());
    }

    /// Runs git in a folder, apart from the settings of whoever runs the tests.
    fn git(folder: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
        command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let run = command.output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }

    /// A repository with a commit on `main`, tagged `v1`, and a second one on `next`.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, text: &str| {
            let file = root.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        git(root, &["init", "--quiet", "--initial-branch=main"]);
        write("policies/b.yaml", "b: 1\n");
        write("policies/a/ü.yml", "ü: 1\n");
        write("policies/.hidden/x.yaml", "hidden");
        write("policies/README.md", "no manifest");
        write("other.json", "{}");
        git(root, &["add", "."]);
        git(root, &["commit", "--quiet", "-m", "one"]);
        git(root, &["tag", "v1"]);
        git(root, &["checkout", "--quiet", "-b", "next"]);
        write("policies/b.yaml", "b: 2\n");
        std::os::unix::fs::symlink("b.yaml", root.join("policies/link.yaml")).unwrap();
        git(root, &["add", "."]);
        git(root, &["commit", "--quiet", "-m", "two"]);
        folder
    }

    type Found = (Vec<(String, String)>, Vec<String>);

    fn read(folder: &Path, options: &str) -> Result<Found, String> {
        let argument = format!("{}/.git#{options}", folder.display());
        let (files, unreadable) = parsed(&argument).read().map_err(|failure| failure.render())?;
        let text = |file: InputFile| (file.name, String::from_utf8(file.bytes).unwrap());
        let paths = unreadable.iter().map(|one| one.path.display().to_string());
        Ok((files.into_iter().map(text).collect(), paths.collect()))
    }

    fn file(name: &str, text: &str) -> (String, String) {
        (name.into(), text.into())
    }

    #[test]
    fn a_folder_is_read_as_it_was() {
        let repository = repository();
        let both = |at: &str| {
            vec![
                file(&format!("{at}:policies/a/ü.yml"), "ü: 1\n"),
                file(&format!("{at}:policies/b.yaml"), "b: 1\n"),
            ]
        };
        let of = |options: &str| read(repository.path(), options).unwrap();
        assert_eq!(of("branch=main,subdir=policies"), (both("main"), vec![]));
        assert_eq!(of("tag=v1,subdir=policies"), (both("v1"), vec![]));
        assert_eq!(of("ref=HEAD~1,subdir=policies/"), (both("HEAD~1"), vec![]));
        let whole = of("branch=main").0;
        assert_eq!(whole[0], file("main:other.json", "{}"));
        assert_eq!(whole.len(), 3);
        assert_eq!(
            of("branch=main,subdir=policies/README.md").0,
            [file("main:policies/README.md", "no manifest")]
        );
        let (files, links) = of("subdir=policies");
        assert_eq!(files[1], file("HEAD:policies/b.yaml", "b: 2\n"));
        assert_eq!(links, ["HEAD:policies/link.yaml"]);
    }

    /// A checkout of CI knows the other branches as remote ones alone.
    #[test]
    fn a_remote_branch_stands_in() {
        let (repository, clone) = (repository(), tempfile::tempdir().unwrap());
        let from = repository.path().display().to_string();
        git(clone.path(), &["clone", "--quiet", "--branch=next", &from, "."]);
        assert_eq!(read(clone.path(), "branch=main,subdir=policies").unwrap().0.len(), 2);
    }

    /// Twenty doublings of a folder are a million files of two bytes.
    #[test]
    fn a_tree_that_unfolds_is_refused() {
        let repository = repository();
        let folder = repository.path();
        let run = |arguments: &[&str], input: &str| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
            command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
            text(&child.wait_with_output().unwrap().stdout)
        };
        let blob = run(&["hash-object", "-w", "--stdin"], "{}");
        let mut tree = run(&["mktree"], &format!("100644 blob {blob}\ta.yaml\n100644 blob {blob}\tb.yaml\n"));
        for _ in 0..20 {
            tree = run(&["mktree"], &format!("040000 tree {tree}\ta\n040000 tree {tree}\tb\n"));
        }
        let commit = run(&["commit-tree", &tree, "-m", "bomb"], "");
        let said = read(folder, &format!("commit={commit}")).unwrap_err();
        assert!(said.contains("it has more than 200000 manifests"), "{said}");
    }

    #[test]
    fn a_blob_is_read_as_far_as_a_file() {
        let repository = repository();
        let long = "x".repeat(lrpc_compiler::Source::MAX_BYTES + 1000);
        std::fs::write(repository.path().join("a.yaml"), long).unwrap();
        git(repository.path(), &["add", "."]);
        git(repository.path(), &["commit", "--quiet", "-m", "long"]);
        let (files, _) = read(repository.path(), "branch=next").unwrap();
        let (name, text) = &files[0];
        assert_eq!((name.as_str(), text.len()), ("next:a.yaml", lrpc_compiler::Source::MAX_BYTES + 1));
        assert_eq!(files[1].0, "next:other.json");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let repository = repository();
        let said = |options: &str| read(repository.path(), options).unwrap_err();
        for (options, what) in [
            ("branch=nowhere", "has no branch `nowhere`"),
            ("tag=main", "has no tag `main`"),
            ("commit=abcdef", "has no commit `abcdef`"),
            ("ref=a..b", "has no ref `a..b`"),
            ("branch=main,subdir=nowhere", "has no `nowhere` at main"),
        ] {
            assert!(said(options).contains(what), "{options}: {}", said(options));
        }
        let empty = tempfile::tempdir().unwrap();
        std::fs::create_dir(empty.path().join(".git")).unwrap();
        assert!(read(empty.path(), "").unwrap_err().contains("git cannot read"));
        assert!(read(Path::new("/nowhere"), "").unwrap_err().contains("there is no repository"));
    }
}

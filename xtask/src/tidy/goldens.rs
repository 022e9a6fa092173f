//! Folders below `testdata/cases` that no test runs, and goldens that no case compares: both look like tests
//! and are none.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::repository::{Failure, Repository, Result, read_text};

/// What this check wants of a `case.toml`; the harness reads the rest.
#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    goldens: Vec<String>,
}

const GOLDENS: [&str; 2] = ["stdout", "stderr"];

/// Looks at every folder of cases.
pub(super) fn check(repository: &Repository) -> Result<Vec<String>> {
    check_cases(&repository.path("testdata/cases"))
}

fn check_cases(cases: &Path) -> Result<Vec<String>> {
    let failed = |error| Failure(format!("reading `{}`: {error}", cases.display()));
    let mut folders = Vec::new();
    for entry in fs::read_dir(cases).map_err(failed)? {
        folders.push(entry.map_err(failed)?.path());
    }
    folders.retain(|path| path.is_dir());
    folders.sort();
    let mut complaints = Vec::new();
    for folder in folders {
        complaints.extend(check_case(&folder)?);
    }
    Ok(complaints)
}

fn check_case(folder: &Path) -> Result<Vec<String>> {
    let description = folder.join("case.toml");
    if !description.exists() {
        return Ok(vec![format!("`{}` has no case.toml, so no test runs it", folder.display())]);
    }
    let case: Case = toml::from_str(&read_text(&description)?)
        .map_err(|error| Failure(format!("`{}`: {error}", description.display())))?;
    let orphans = GOLDENS.iter().filter(|golden| !case.goldens.iter().any(|asked| asked == *golden));
    let files = orphans.map(|golden| folder.join(format!("{golden}.txt"))).filter(|file| file.exists());
    Ok(files
        .map(|file| format!("`{}` is compared with nothing; name it in case.toml", file.display()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        check_cases(root.path()).unwrap()
    }

    const CASE: &str = "args = []\nexit = 0\ngoldens = [\"stdout\"]\n";

    #[test]
    fn a_golden_that_its_case_does_not_name_is_found() {
        let found = cases(&[("a/case.toml", CASE), ("a/stdout.txt", ""), ("a/stderr.txt", "")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("a/stderr.txt"), "{found:?}");
    }

    #[test]
    fn a_folder_without_a_case_is_found() {
        let found = cases(&[("b/policies/kiam.yaml", "")]);
        assert!(found[0].contains("no test runs it"), "{found:?}");
    }

    #[test]
    fn a_case_with_its_goldens_and_inputs_is_tidy() {
        let found =
            cases(&[("a/case.toml", CASE), ("a/stdout.txt", ""), ("a/notes.txt", ""), ("a/p.yaml", "")]);
        assert_eq!(found, [""; 0]);
    }
}

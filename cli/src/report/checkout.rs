//! The paths that CI systems know files by: those from the root of the checkout.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The variables in which GitLab and GitHub name the folder of the checkout.
const VARIABLES: [&str; 2] = ["CI_PROJECT_DIR", "GITHUB_WORKSPACE"];

/// Where `lrpc` runs, and the root that reports are relative to.
#[derive(Debug, Default)]
pub(crate) struct Checkout {
    work: PathBuf,
    root: PathBuf,
}

impl Checkout {
    /// The checkout that the CI system names where `lrpc` runs inside of it, else the working directory.
    pub(crate) fn current() -> Self {
        Self::new(std::env::current_dir().unwrap_or_default(), VARIABLES.iter().filter_map(std::env::var_os))
    }

    fn new(work: PathBuf, named: impl Iterator<Item = OsString>) -> Self {
        let root = named.map(PathBuf::from).find(|root| root.is_absolute() && work.starts_with(root));
        Self { root: root.unwrap_or_else(|| work.clone()), work }
    }

    /// The path of a file from the root, without `.` and `..`, with `/` between folders on every system; that of a file outside is absolute. Standard
    /// input keeps its name `-`.
    pub(crate) fn path(&self, file: &str) -> String {
        if file == "-" {
            return file.to_owned();
        }
        let path = normal(&self.work.join(file));
        let path = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy();
        path.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

/// The path without `.` and `..`, by its letters alone: a reader that looks for the name as it was written
/// has no file system to ask for links.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => normal.push(component),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_root_of_the_checkout() {
        let checkout = Checkout::new("/build/repo/cluster".into(), ["/build/repo".into()].into_iter());
        assert_eq!(checkout.path("policies/kiam.yaml"), "cluster/policies/kiam.yaml");
        assert_eq!(checkout.path("./kiam.yaml"), "cluster/kiam.yaml");
        assert_eq!(checkout.path("../kiam.yaml"), "kiam.yaml");
        assert_eq!(checkout.path("/build/repo/kiam.yaml"), "kiam.yaml");
        assert_eq!(checkout.path("/etc/kiam.yaml"), "/etc/kiam.yaml");
        assert_eq!(checkout.path("-"), "-");
    }

    #[test]
    fn a_checkout_elsewhere_is_not_ours() {
        let checkout = Checkout::new("/home/me".into(), ["/build/repo".into()].into_iter());
        assert_eq!(checkout.path("kiam.yaml"), "kiam.yaml");
    }
}

//! The pods of this node, as the kubelet's cgroups show them.
//!
//! The kubelet's tree is every topmost directory named `kubepods`, `kubepods.slice` or `*-kubepods.slice` (L17).
//! A pod's directory bears its UID: `podUID` with the cgroupfs driver, `…-podUID.slice` with systemd's, which
//! has underscores in the place of hyphens.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::sys::{SysError, gate};
use crate::resolve::{Identities, Place};

/// How far below the cgroup the kubelet's tree may be, and how far below that a pod: below its QoS class.
const DEPTH: usize = 3;

/// The kubelet's trees below a cgroup, which is at a level of the host's tree, and the pods in them.
pub(crate) fn identities(cgroup: &Path, level: Option<usize>) -> Result<Identities, SysError> {
    let place = |path: &Path| place(cgroup, level, path);
    let mut found = Identities::default();
    let mut pods: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for tree in trees(cgroup)? {
        found.trees.extend(place(&tree)?);
        for (uid, path) in pods_in(&tree)? {
            if let Some(place) = place(&path)? {
                pods.entry(uid).or_default().push(place);
            }
        }
    }
    found.pods = pods;
    Ok(found)
}

/// The directories of the pods below a cgroup.
pub(crate) fn pods(cgroup: &Path) -> Result<Vec<PathBuf>, SysError> {
    let mut found = Vec::new();
    for tree in trees(cgroup)? {
        found.extend(pods_in(&tree)?.into_iter().map(|(_, path)| path));
    }
    Ok(found)
}

/// Every directory below a cgroup.
pub(crate) fn below(cgroup: &Path) -> Result<Vec<PathBuf>, SysError> {
    let mut found = Vec::new();
    find(cgroup, usize::MAX, &mut |_, path| {
        found.push(path);
        Ok(true)
    })?;
    Ok(found)
}

/// The kubelet's trees below a cgroup.
fn trees(cgroup: &Path) -> Result<Vec<PathBuf>, SysError> {
    let mut trees = Vec::new();
    find(cgroup, DEPTH, &mut |name, path| {
        let is_tree = is_kubelets(name);
        if is_tree {
            trees.push(path);
        }
        Ok(!is_tree)
    })?;
    Ok(trees)
}

/// The pods in a kubelet's tree, by UID.
fn pods_in(tree: &Path) -> Result<Vec<(String, PathBuf)>, SysError> {
    let mut pods = Vec::new();
    find(tree, DEPTH, &mut |name, path| {
        let uid = uid(name);
        let is_pod = uid.is_some();
        pods.extend(uid.map(|uid| (uid, path)));
        Ok(!is_pod)
    })?;
    Ok(pods)
}

/// Where a directory below a cgroup is; `None` where it has gone.
fn place(cgroup: &Path, level: Option<usize>, path: &Path) -> Result<Option<Place>, SysError> {
    let fail = |error| SysError::new(format!("looking at cgroup `{}`", path.display()), "stat(2)", error);
    let below = path.strip_prefix(cgroup).map_or(0, |rest| rest.components().count());
    match gate::enter("stat(2)").and_then(|()| fs::metadata(path)) {
        Ok(found) => Ok(Some(Place { cgroup: found.ino(), level: level.map(|level| level + below) })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(error)),
    }
}

/// Shows every directory to `look`, which says whether to go on below it.
fn find(
    folder: &Path,
    depth: usize,
    look: &mut dyn FnMut(&str, PathBuf) -> Result<bool, SysError>,
) -> Result<(), SysError> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    let doing = || format!("looking for pods in `{}`", folder.display());
    for path in folders(folder).map_err(|error| SysError::new(doing(), "getdents64(2)", error))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if look(&name, path.clone())? {
            find(&path, depth, look)?;
        }
    }
    Ok(())
}

/// The directories in one, which may go while they are listed.
fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match gate::enter("getdents64(2)").and_then(|()| fs::read_dir(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// The directories below a cgroup, and itself, by their number; with the UID of the pod whose they are, if any.
pub(crate) fn names(cgroup: &Path) -> Result<HashMap<u64, Named>, SysError> {
    let mut names = HashMap::new();
    let mut name = |path: PathBuf| {
        if let Some(place) = place(cgroup, None, &path)? {
            names.insert(place.cgroup, Named { pod: pod_of(&path), path });
        }
        Ok(())
    };
    name(cgroup.to_owned())?;
    find(cgroup, DEEP, &mut |_, path| name(path).map(|()| true))?;
    Ok(names)
}

/// How far below the cgroup a container's may be, with what it makes below its own.
const DEEP: usize = 12;

/// A cgroup as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its directory.
    pub(crate) path: PathBuf,
    /// The UID of the pod whose it is.
    pub(crate) pod: Option<String>,
}

/// The UID of the pod whose directory this is, or one below it.
fn pod_of(path: &Path) -> Option<String> {
    let mut names = path.iter().filter_map(OsStr::to_str).skip_while(|name| !is_kubelets(name));
    names.find_map(uid)
}

fn is_kubelets(name: &str) -> bool {
    matches!(name, "kubepods" | "kubepods.slice") || name.ends_with("-kubepods.slice")
}

/// The UID in the name of a pod's directory.
fn uid(name: &str) -> Option<String> {
    let (before, uid) = name.strip_suffix(".slice").unwrap_or(name).rsplit_once("pod")?;
    let is_pod = !uid.is_empty() && (before.is_empty() || before.ends_with('-'));
    is_pod.then(|| uid.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_known_under_either_driver_and_every_class() {
        assert_eq!(uid("pod0a1b-2c"), Some("0a1b-2c".to_owned()));
        assert_eq!(uid("kubepods-besteffort-pod0a1b_2c.slice"), Some("0a1b-2c".to_owned()));
        for other in ["kubepods", "kubepods-burstable.slice", "burstable", "pod", "tripod7", "cri-x.scope"] {
            assert_eq!(uid(other), None, "{other}");
        }
    }

    #[test]
    fn a_container_is_its_pods_and_what_is_outside_of_the_kubelets_tree_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let make = |path: &str| fs::create_dir_all(folder.path().join(path)).unwrap();
        make("kubepods.slice/kubepods-pod0a_1.slice/cri-containerd-x.scope");
        make("system.slice/pod1");
        let names = names(folder.path()).unwrap();
        let pod = |path: &str| {
            let path = folder.path().join(path);
            let named = &names[&fs::metadata(&path).unwrap().ino()];
            assert_eq!(named.path, path);
            named.pod.clone()
        };
        assert_eq!(
            pod("kubepods.slice/kubepods-pod0a_1.slice/cri-containerd-x.scope").as_deref(),
            Some("0a-1")
        );
        assert_eq!(pod("kubepods.slice/kubepods-pod0a_1.slice").as_deref(), Some("0a-1"));
        assert_eq!([pod("kubepods.slice"), pod("system.slice/pod1"), pod("")], [None, None, None]);
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn the_kubelets_tree_is_looked_for_below_the_cgroup() {
        let folder = tempfile::tempdir().unwrap();
        let identities = || identities(folder.path(), Some(4)).unwrap();
        let make = |path: &str| fs::create_dir_all(folder.path().join(path)).unwrap();
        make("system.slice/pod1");
        assert_eq!(identities(), Identities::default());
        make("k8s/kubepods/burstable/podb/container");
        make("k8s/kubepods/podg");
        let systemds = "kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pode_1.slice";
        make(systemds);
        let found = identities();
        let place = |path: &str, level| {
            let cgroup = fs::metadata(folder.path().join(path)).unwrap().ino();
            Place { cgroup, level: Some(level) }
        };
        let pods = [
            ("b", vec![place("k8s/kubepods/burstable/podb", 8)]),
            ("e-1", vec![place(systemds, 7)]),
            ("g", vec![place("k8s/kubepods/podg", 7)]),
        ];
        assert_eq!(found.pods, pods.map(|(uid, places)| (uid.to_owned(), places)).into());
        let mut trees = found.trees;
        trees.sort_unstable_by_key(|tree| tree.level);
        assert_eq!(trees, [place("kubelet-kubepods.slice", 5), place("k8s/kubepods", 6)]);
    }
}

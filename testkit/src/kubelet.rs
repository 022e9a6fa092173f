//! The cgroups that a kubelet makes for pods, below the directory that stands for the cgroup root.

use std::path::{Path, PathBuf};

/// Who makes cgroups on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// systemd, as slices and scopes.
    Systemd,
    /// The kubelet itself, as plain folders.
    Cgroupfs,
}

/// What a pod is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// As much as its limits.
    Guaranteed,
    /// Its requests.
    Burstable,
    /// Nothing.
    BestEffort,
}

/// The cgroup of a container of the pod with this UID, as the kubelet and the runtime name it.
pub(crate) fn container_cgroup(root: &Path, driver: Driver, qos: Qos, uid: &str, container: &str) -> PathBuf {
    let class = match qos {
        Qos::Guaranteed => None,
        Qos::Burstable => Some("burstable"),
        Qos::BestEffort => Some("besteffort"),
    };
    match driver {
        Driver::Cgroupfs => {
            let pods = root.join("kubepods");
            class.map_or(pods.clone(), |class| pods.join(class)).join(format!("pod{uid}")).join(container)
        }
        Driver::Systemd => {
            let pods = root.join("kubepods.slice");
            let prefix = class.map_or("kubepods".to_owned(), |class| format!("kubepods-{class}"));
            let parent = if class.is_some() { pods.join(format!("{prefix}.slice")) } else { pods };
            let pod = format!("{prefix}-pod{}.slice", uid.replace('-', "_"));
            parent.join(pod).join(format!("cri-containerd-{container}.scope"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroups_are_named_as_kubelets_name_them() {
        let cgroup = |driver, qos| container_cgroup(Path::new("/r"), driver, qos, "1a-2b", "c0");
        for (driver, qos, path) in [
            (Driver::Cgroupfs, Qos::Guaranteed, "/r/kubepods/pod1a-2b/c0"),
            (Driver::Cgroupfs, Qos::Burstable, "/r/kubepods/burstable/pod1a-2b/c0"),
            (Driver::Cgroupfs, Qos::BestEffort, "/r/kubepods/besteffort/pod1a-2b/c0"),
            (
                Driver::Systemd,
                Qos::Guaranteed,
                "/r/kubepods.slice/kubepods-pod1a_2b.slice/cri-containerd-c0.scope",
            ),
            (
                Driver::Systemd,
                Qos::Burstable,
                "/r/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a_2b.slice/\
                 cri-containerd-c0.scope",
            ),
        ] {
            assert_eq!(cgroup(driver, qos), Path::new(path));
        }
    }
}

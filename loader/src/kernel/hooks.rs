//! The hooks: which programs are attached where, and beside whom.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::PathBuf;

use aya_obj::generated::bpf_attach_type;

use super::cgroup::{Cgroup, NoCgroup};
use super::pins::{self, Pins};
use super::sys::SysError;
use super::sys::link::{Attached, CgroupLink, Program, Sharing, program_name, query};

/// A place in the kernel where a program of ours runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    /// The name of the program in the object, and of its pins.
    pub(crate) name: &'static str,
    attach_type: bpf_attach_type,
}

/// All hooks, in the order in which they are attached: a socket is redirected by the last of them only when
/// everything that answers for it is in place.
pub(crate) const HOOKS: [Hook; 2] = [
    Hook { name: "getpeername4", attach_type: bpf_attach_type::BPF_CGROUP_INET4_GETPEERNAME },
    Hook { name: "connect4", attach_type: bpf_attach_type::BPF_CGROUP_INET4_CONNECT },
];

/// The programs of one version, by the name of their hook.
pub(crate) type Programs = BTreeMap<&'static str, Program>;

/// What holds a hook against us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The hook.
    pub hook: &'static str,
    /// The cgroup that it is attached to: ours or one above it.
    pub cgroup: PathBuf,
    /// Its name, where this process may read it, and its id.
    pub program: String,
    /// `exclusive` or `override`.
    pub sharing: &'static str,
}

impl Hook {
    pub(crate) fn attach_type(self) -> u32 {
        self.attach_type as u32
    }

    /// Attaches a program: before those that are there, where the kernel can (6.16 and newer; older ones
    /// know no such flag and say EINVAL). `behind` is asked whether behind them will do, and is told how many
    /// there are.
    pub(crate) fn attach<E: From<SysError>>(
        self,
        program: &Program,
        cgroup: &Cgroup,
        behind: impl FnOnce(usize) -> Result<(), E>,
    ) -> Result<CgroupLink, E> {
        match CgroupLink::attach(program, cgroup.as_fd(), self.attach_type(), true) {
            Err(error) if error.errno() == Some(libc::EINVAL) => {
                behind(query(cgroup.as_fd(), self.attach_type())?.programs.len())?;
                Ok(CgroupLink::attach(program, cgroup.as_fd(), self.attach_type(), false)?)
            }
            attached => Ok(attached?),
        }
    }
}

/// The first program, on the cgroup or above it, that suffers no link of ours beside it.
pub(crate) fn holder(cgroup: &Cgroup) -> Result<Option<Holder>, SysError> {
    for path in cgroup.ancestors() {
        let level = match Cgroup::open(&path) {
            Ok(level) => level,
            Err(NoCgroup::Refused(error)) => return Err(error),
            Err(NoCgroup::NoMount | NoCgroup::ContainerView(_) | NoCgroup::NotCgroup2(_)) => continue,
        };
        for hook in HOOKS {
            let attached = query(level.as_fd(), hook.attach_type())?;
            if let Some((sharing, id)) = refused_by(&attached) {
                let program = match program_name(id) {
                    Some(name) => format!("{name} (id {id})"),
                    None => format!("id {id}"),
                };
                return Ok(Some(Holder { hook: hook.name, cgroup: path, program, sharing }));
            }
        }
    }
    Ok(None)
}

/// How many programs are attached to our hooks of this very cgroup.
pub(crate) fn neighbours(cgroup: &Cgroup) -> Result<usize, SysError> {
    let count = |hook: Hook| Ok(query(cgroup.as_fd(), hook.attach_type())?.programs.len());
    HOOKS.into_iter().map(count).sum()
}

/// How and by which program a hook is held against ours; an exclusive program refuses our link, an
/// override one would be switched off by it without a word.
fn refused_by(attached: &Attached) -> Option<(&'static str, u32)> {
    let id = *attached.programs.first()?;
    match attached.sharing {
        Sharing::Exclusive => Some(("exclusive", id)),
        Sharing::Override => Some(("override", id)),
        Sharing::Multi => None,
    }
}

/// What is pinned for a hook, against what is to be there.
#[derive(Debug)]
pub(crate) enum HookState {
    /// Our link, with a program of the wanted version.
    Current,
    /// Our link, with the program of another version that is pinned with it.
    Outdated { link: CgroupLink, program: Program },
    /// No link, one whose cgroup is gone, or one with a program that is not ours.
    Missing,
    /// Our link, on another cgroup.
    Elsewhere,
}

/// Looks at a hook's link; `version` is the wanted one, `cgroup` the id of the wanted cgroup.
pub(crate) fn state(pins: &Pins, hook: Hook, version: &str, cgroup: u64) -> Result<HookState, SysError> {
    let Some(link) = CgroupLink::open(&pins.link(hook.name))? else {
        return Ok(HookState::Missing);
    };
    let Some((found, program)) = program_of(pins, hook, link.program())? else {
        return Ok(HookState::Missing);
    };
    Ok(match link.cgroup() {
        0 => HookState::Missing,
        _ if link.attach_type() != hook.attach_type() => HookState::Missing,
        id if id != cgroup => HookState::Elsewhere,
        _ if found == version => HookState::Current,
        _ => HookState::Outdated { link, program },
    })
}

/// The pinned program with an id, and the version that it belongs to.
pub(crate) fn program_of(pins: &Pins, hook: Hook, id: u32) -> Result<Option<(String, Program)>, SysError> {
    for version in pins::names(&pins.programs())? {
        if let Some(program) = Program::open(&pins.program(&version, hook.name))?
            && program.id() == id
        {
            return Ok(Some((version, program)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_is_there_and_does_not_share_refuses_ours() {
        let attached = |sharing, programs: &[u32]| Attached { sharing, programs: programs.to_vec() };
        // The kernel gives no flags for a hook without programs, which reads as exclusive.
        assert_eq!(refused_by(&attached(Sharing::Exclusive, &[])), None);
        assert_eq!(refused_by(&attached(Sharing::Exclusive, &[7])), Some(("exclusive", 7)));
        assert_eq!(refused_by(&attached(Sharing::Override, &[7])), Some(("override", 7)));
        assert_eq!(refused_by(&attached(Sharing::Multi, &[7, 8])), None);
    }
}

//! The hooks: which programs are attached where, and beside whom.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::PathBuf;

use aya_obj::generated::bpf_attach_type;
use lrpc_schema::records::Hook;

use super::cgroup::{Cgroup, NoCgroup};
use super::pins::{PinError, PinnedLink, Pins};
use super::sys::SysError;
use super::sys::link::{Attached, CgroupLink, Program, Sharing, effective, program_name, query};
use super::writer::Writer;

/// The programs of one version, by the name of their hook.
pub(crate) type Programs = BTreeMap<Hook, Program>;

/// What holds a hook against us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The hook.
    pub hook: Hook,
    /// The cgroup that it is attached to: ours or one above it.
    pub cgroup: PathBuf,
    /// Its name, where this process may read it, and its id.
    pub program: String,
    /// `exclusive` or `override`.
    pub sharing: &'static str,
}

/// The kernel's number of a hook.
pub(crate) const fn attach_type(hook: Hook) -> u32 {
    let attach_type = match hook {
        Hook::Getpeername4 => bpf_attach_type::BPF_CGROUP_INET4_GETPEERNAME,
        Hook::Getpeername6 => bpf_attach_type::BPF_CGROUP_INET6_GETPEERNAME,
        Hook::Recvmsg4 => bpf_attach_type::BPF_CGROUP_UDP4_RECVMSG,
        Hook::Recvmsg6 => bpf_attach_type::BPF_CGROUP_UDP6_RECVMSG,
        Hook::Sendmsg4 => bpf_attach_type::BPF_CGROUP_UDP4_SENDMSG,
        Hook::Sendmsg6 => bpf_attach_type::BPF_CGROUP_UDP6_SENDMSG,
        Hook::Connect4 => bpf_attach_type::BPF_CGROUP_INET4_CONNECT,
        Hook::Connect6 => bpf_attach_type::BPF_CGROUP_INET6_CONNECT,
    };
    attach_type as u32
}

/// Attaches a program: before those that are there, where the kernel can (6.16 and newer, and Debian's 6.12; others know no
/// such flag and say EINVAL). `behind` is asked whether behind them will do, and is told how many there are.
pub(crate) fn attach<E: From<SysError>>(
    _writer: &Writer,
    hook: Hook,
    program: &Program,
    cgroup: &Cgroup,
    behind: impl FnOnce(usize) -> Result<(), E>,
) -> Result<CgroupLink, E> {
    match CgroupLink::attach(program, cgroup.as_fd(), attach_type(hook), true) {
        Err(error) if error.errno() == Some(libc::EINVAL) => {
            behind(query(cgroup.as_fd(), attach_type(hook))?.programs.len())?;
            Ok(CgroupLink::attach(program, cgroup.as_fd(), attach_type(hook), false)?)
        }
        attached => Ok(attached?),
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
        for hook in Hook::ALL {
            let attached = query(level.as_fd(), attach_type(hook))?;
            if let Some((sharing, id)) = refused_by(&attached) {
                return Ok(Some(Holder { hook, cgroup: path, program: described(id), sharing }));
            }
        }
    }
    Ok(None)
}

/// Who runs beside ours on one hook of this very cgroup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Neighbours {
    /// Programs of others that run before ours; all of them where ours is not attached.
    pub(crate) before: usize,
    /// Programs of others that run after ours.
    pub(crate) after: usize,
    /// Ours runs.
    pub(crate) present: bool,
}

/// Asks who runs beside ours, which is one of `programs`, on a hook of this very cgroup.
pub(crate) fn neighbours(cgroup: &Cgroup, hook: Hook, ours: &[u32]) -> Result<Neighbours, SysError> {
    Ok(beside(&query(cgroup.as_fd(), attach_type(hook))?.programs, ours))
}

fn beside(programs: &[u32], ours: &[u32]) -> Neighbours {
    let others = |programs: &[u32]| programs.iter().filter(|program| !ours.contains(program)).count();
    match programs.iter().position(|program| ours.contains(program)) {
        Some(place) => {
            let (before, after) = programs.split_at(place);
            Neighbours { before: others(before), after: others(after), present: true }
        }
        None => Neighbours { before: programs.len(), after: 0, present: false },
    }
}

/// When a program runs, seen from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Before ours.
    Before,
    /// After ours.
    Behind,
    /// Ours does not run for this hook.
    Alone,
}

/// A program of somebody else on one of our hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    /// The hook.
    pub(crate) hook: Hook,
    /// Its name, where this process may read it, and its id.
    pub(crate) program: String,
    /// When it runs.
    pub(crate) turn: Turn,
}

/// The programs on our hooks of one very cgroup that are none of `ours`, hook by hook. In which order they and ours
/// run is asked of `run_at`: the lower of the two cgroups, for whose sockets both run.
pub(crate) fn strangers(
    cgroup: &Cgroup,
    run_at: &Cgroup,
    ours: &BTreeMap<Hook, Vec<u32>>,
) -> Result<Vec<Stranger>, SysError> {
    let mut found = Vec::new();
    for hook in Hook::ALL {
        let known = ours.get(&hook).map(Vec::as_slice).unwrap_or_default();
        let attached = query(cgroup.as_fd(), attach_type(hook))?.programs;
        let others: Vec<u32> = attached.into_iter().filter(|id| !known.contains(id)).collect();
        if others.is_empty() {
            continue;
        }
        let run = effective(run_at.as_fd(), attach_type(hook))?;
        found.extend(others.into_iter().map(|id| Stranger {
            hook,
            program: described(id),
            turn: turn(&run, id, known),
        }));
    }
    Ok(found)
}

/// When a program runs among those that run, seen from ours.
fn turn(run: &[u32], id: u32, ours: &[u32]) -> Turn {
    let place = |wanted: &dyn Fn(&u32) -> bool| run.iter().position(wanted);
    match (place(&|other| ours.contains(other)), place(&|other| *other == id)) {
        (None, _) => Turn::Alone,
        (Some(ours), Some(other)) if other < ours => Turn::Before,
        (Some(_), _) => Turn::Behind,
    }
}

/// The hooks for which none of our programs runs for a socket in a cgroup.
pub(crate) fn ineffective(cgroup: &Cgroup, ours: &BTreeMap<Hook, Vec<u32>>) -> Result<Vec<Hook>, SysError> {
    let mut missing = Vec::new();
    for hook in Hook::ALL {
        let run = effective(cgroup.as_fd(), attach_type(hook))?;
        let known = ours.get(&hook).map(Vec::as_slice).unwrap_or_default();
        if !run.iter().any(|id| known.contains(id)) {
            missing.push(hook);
        }
    }
    Ok(missing)
}

/// A program as users know it.
fn described(id: u32) -> String {
    match program_name(id) {
        Some(name) => format!("{name} (id {id})"),
        None => format!("id {id}"),
    }
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
    /// Our link, with a program of the wanted version that looks into the pinned maps.
    Current,
    /// Our link, with another program of ours, which is pinned with it.
    Outdated { link: CgroupLink, program: Program },
    /// No link, one whose cgroup is gone, or one with a program that is not ours.
    Missing,
    /// Our link, on another cgroup.
    Elsewhere,
}

/// Looks at a hook's link; `version` is the wanted one, `cgroup` the id of the wanted cgroup, `maps` the ids
/// that the program must use.
pub(crate) fn state(
    pins: &Pins,
    hook: Hook,
    version: &str,
    cgroup: u64,
    maps: Option<&[(&'static str, u32)]>,
) -> Result<HookState, PinError> {
    let PinnedLink::Link(link) = pins.link(hook)? else {
        return Ok(HookState::Missing);
    };
    let Some((found, program)) = program_of(pins, hook, link.program())? else {
        return Ok(HookState::Missing);
    };
    if link.cgroup() == 0 || link.attach_type() != attach_type(hook) {
        return Ok(HookState::Missing);
    }
    if link.cgroup() != cgroup {
        return Ok(HookState::Elsewhere);
    }
    let looks_there = match maps {
        Some(maps) => stranger(&program, hook, maps)?.is_none(),
        None => false,
    };
    Ok(if found == version && looks_there {
        HookState::Current
    } else {
        HookState::Outdated { link, program }
    })
}

/// The first of the maps that a hook's program ought to look into and does not.
pub(crate) fn stranger(
    program: &Program,
    hook: Hook,
    maps: &[(&'static str, u32)],
) -> Result<Option<&'static str>, SysError> {
    if !hook.decides() {
        return Ok(None);
    }
    let used = program.maps()?;
    Ok(maps.iter().find(|(_, id)| !used.contains(id)).map(|(name, _)| *name))
}

/// The pinned program with an id, and the version that it belongs to.
pub(crate) fn program_of(pins: &Pins, hook: Hook, id: u32) -> Result<Option<(String, Program)>, PinError> {
    for version in pins.versions()? {
        if let Some(program) = pins.program(&version, hook)?
            && program.id() == id
        {
            return Ok(Some((version, program)));
        }
    }
    Ok(None)
}

/// The ids of every pinned program of a hook, of all versions.
pub(crate) fn ids(pins: &Pins, hook: Hook) -> Result<Vec<u32>, PinError> {
    let mut ids = Vec::new();
    for version in pins.versions()? {
        ids.extend(pins.program(&version, hook)?.map(|program| program.id()));
    }
    Ok(ids)
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

    #[test]
    fn a_turn_is_told_by_the_order_in_which_programs_run() {
        assert_eq!(turn(&[1, 7, 2], 1, &[7, 8]), Turn::Before);
        assert_eq!(turn(&[1, 7, 2], 2, &[7, 8]), Turn::Behind);
        assert_eq!(turn(&[1, 2], 2, &[7, 8]), Turn::Alone);
    }

    #[test]
    fn programs_of_ours_are_no_neighbours() {
        let said = |before, after, present| Neighbours { before, after, present };
        assert_eq!(beside(&[7], &[7]), said(0, 0, true));
        assert_eq!(beside(&[1, 7, 2, 3], &[7, 8]), said(1, 2, true));
        assert_eq!(beside(&[1, 2], &[7]), said(2, 0, false));
        assert_eq!(beside(&[], &[7]), said(0, 0, false));
    }
}

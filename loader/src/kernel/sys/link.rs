//! Programs and their links to a cgroup: attached, replaced, asked for, detached.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use aya_obj::generated::{
    BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE, BPF_F_BEFORE, BPF_F_QUERY_EFFECTIVE, BPF_F_REPLACE,
    bpf_link_info, bpf_link_type, bpf_prog_info,
};

use super::{
    Access, Command, SysError, address, attributes, call, call_for_fd, info, info_into, kernel_name,
    open_pinned, raw,
};
use crate::fs::Dir;

/// A loaded program.
#[derive(Debug)]
pub(crate) struct Program {
    fd: OwnedFd,
    id: u32,
    tag: [u8; 8],
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Program {
    /// A second handle on the program behind a descriptor.
    pub(crate) fn of_fd(fd: BorrowedFd<'_>) -> Result<Self, SysError> {
        let fail = |error| SysError::new("reading a program", "bpf(BPF_OBJ_GET_INFO_BY_FD)", error);
        Self::of_owned(fd.try_clone_to_owned().map_err(fail)?).map_err(fail)
    }

    /// Opens a pinned program; `None` where nothing has the name.
    pub(crate) fn open(directory: &Dir, name: &str, access: Access) -> Result<Option<Self>, SysError> {
        open_pinned("program", directory, name, access, Self::of_owned)
    }

    pub(super) fn of_owned(fd: OwnedFd) -> io::Result<Self> {
        // SAFETY: `bpf_prog_info` is what a program's descriptor answers with; for any other object the fields
        // read below are meaningless numbers, not addresses.
        let info: bpf_prog_info = unsafe { info(fd.as_fd()) }?;
        Ok(Self { fd, id: info.id, tag: info.tag })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// The ids of the maps that it uses.
    pub(crate) fn maps(&self) -> Result<Vec<u32>, SysError> {
        let fail = |error| SysError::new("reading a program", "bpf(BPF_OBJ_GET_INFO_BY_FD)", error);
        let mut ids = [0_u32; MOST_MAPS];
        // SAFETY: zero is a value of each integer in it.
        let mut asked: bpf_prog_info = unsafe { std::mem::zeroed() };
        asked.nr_map_ids = u32::try_from(ids.len()).unwrap_or(0);
        asked.map_ids = address(ids.as_mut_slice());
        // SAFETY: `bpf_prog_info` is what a program's descriptor answers with, and `ids` has room for the
        // `nr_map_ids` that the kernel may write there.
        unsafe { info_into(self.as_fd(), &mut asked) }.map_err(fail)?;
        Ok(ids.into_iter().take(asked.nr_map_ids as usize).collect())
    }

    /// The kernel's digest of the program's instructions, in hexadecimal.
    pub(crate) fn tag(&self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.tag))
    }
}

/// A program attached to a cgroup for as long as the link lives.
#[derive(Debug)]
pub(crate) struct CgroupLink {
    fd: OwnedFd,
    program: u32,
    cgroup: u64,
    attach_type: u32,
}

impl AsFd for CgroupLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl CgroupLink {
    /// Attaches `program` beside the other programs of the cgroup, before all of them if `first`.
    pub(in crate::kernel) fn attach(
        program: &Program,
        cgroup: BorrowedFd<'_>,
        attach_type: u32,
        first: bool,
    ) -> Result<Self, SysError> {
        let fail = |error| SysError::new("attaching a program to the cgroup", "bpf(BPF_LINK_CREATE)", error);
        let mut attributes = attributes();
        attributes.link_create.__bindgen_anon_1.prog_fd = raw(program.as_fd());
        attributes.link_create.__bindgen_anon_2.target_fd = raw(cgroup);
        attributes.link_create.attach_type = attach_type;
        attributes.link_create.flags = if first { BPF_F_BEFORE } else { 0 };
        // SAFETY: the attributes hold no address, and the call opens a descriptor.
        let fd = unsafe { call_for_fd(Command::LinkCreate, &mut attributes) }.map_err(fail)?;
        Self::of_owned(fd).map_err(fail)
    }

    /// Opens a pinned link; `None` where nothing has the name.
    pub(crate) fn open(directory: &Dir, name: &str) -> Result<Option<Self>, SysError> {
        open_pinned("link", directory, name, Access::Write, Self::of_owned)
    }

    fn of_owned(fd: OwnedFd) -> io::Result<Self> {
        // SAFETY: `bpf_link_info` is what a link's descriptor answers with, and its fields are integers.
        let info: bpf_link_info = unsafe { info(fd.as_fd()) }?;
        if info.type_ != bpf_link_type::BPF_LINK_TYPE_CGROUP as u32 {
            return Err(io::Error::other("not a link to a cgroup"));
        }
        // SAFETY: the kernel fills this member for links of the type checked above.
        let cgroup = unsafe { info.__bindgen_anon_1.cgroup };
        Ok(Self { fd, program: info.prog_id, cgroup: cgroup.cgroup_id, attach_type: cgroup.attach_type })
    }

    /// The id of the attached program.
    pub(crate) fn program(&self) -> u32 {
        self.program
    }

    /// The id of the cgroup; 0 once the link is detached or its cgroup is gone.
    pub(crate) fn cgroup(&self) -> u64 {
        self.cgroup
    }

    pub(crate) fn attach_type(&self) -> u32 {
        self.attach_type
    }

    /// Swaps the attached program, provided that it still is `old`. Packets see one or the other.
    pub(in crate::kernel) fn replace(&self, old: &Program, new: &Program) -> Result<(), SysError> {
        let mut attributes = attributes();
        attributes.link_update.link_fd = raw(self.as_fd());
        attributes.link_update.__bindgen_anon_1.new_prog_fd = raw(new.as_fd());
        attributes.link_update.flags = BPF_F_REPLACE;
        attributes.link_update.__bindgen_anon_2.old_prog_fd = raw(old.as_fd());
        // SAFETY: the attributes hold no address.
        unsafe { call(Command::LinkUpdate, &mut attributes) }
            .map_err(|error| SysError::new("replacing an attached program", "bpf(BPF_LINK_UPDATE)", error))?;
        Ok(())
    }

    /// Takes the program off the cgroup at once, whoever else holds the link.
    pub(in crate::kernel) fn detach(&self) -> Result<(), SysError> {
        let mut attributes = attributes();
        attributes.link_detach.link_fd = raw(self.as_fd());
        // SAFETY: the attributes hold no address.
        unsafe { call(Command::LinkDetach, &mut attributes) }
            .map_err(|error| SysError::new("detaching a program", "bpf(BPF_LINK_DETACH)", error))?;
        Ok(())
    }
}

/// How programs share a hook of a cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// A single program that suffers no other, here or below.
    Exclusive,
    /// A single program that one below replaces.
    Override,
    /// Any number of programs.
    Multi,
}

/// What is attached to one hook of one cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Only meant where `programs` is not empty.
    pub(crate) sharing: Sharing,
    /// Ids of the programs in the order in which they run.
    pub(crate) programs: Vec<u32>,
}

/// More maps than a program of ours has.
const MOST_MAPS: usize = 16;

/// How many programs the kernel allows on one hook of one cgroup.
const MOST_PROGRAMS: usize = 64;

/// More programs than run for one hook of a cgroup and all those above it: a full hook on each of 32 levels.
const MOST_EFFECTIVE: usize = 32 * MOST_PROGRAMS;

/// Asks what is attached to a hook of this very cgroup.
pub(crate) fn query(cgroup: BorrowedFd<'_>, attach_type: u32) -> Result<Attached, SysError> {
    ask(cgroup, attach_type, 0, &mut [0; MOST_PROGRAMS])
}

/// Asks which programs run for a hook of a socket in this cgroup, those of the cgroups above among them, in the order
/// in which they run.
pub(crate) fn effective(cgroup: BorrowedFd<'_>, attach_type: u32) -> Result<Vec<u32>, SysError> {
    Ok(ask(cgroup, attach_type, BPF_F_QUERY_EFFECTIVE, &mut [0; MOST_EFFECTIVE])?.programs)
}

fn ask(cgroup: BorrowedFd<'_>, attach_type: u32, flags: u32, ids: &mut [u32]) -> Result<Attached, SysError> {
    let mut attributes = attributes();
    attributes.query.__bindgen_anon_1.target_fd = raw(cgroup);
    attributes.query.attach_type = attach_type;
    attributes.query.query_flags = flags;
    attributes.query.prog_ids = address(&raw const *ids);
    attributes.query.__bindgen_anon_2.prog_cnt = u32::try_from(ids.len()).unwrap_or(0);
    // SAFETY: `ids` has room for the `prog_cnt` ids that the kernel may write.
    unsafe { call(Command::ProgQuery, &mut attributes) }.map_err(|error| {
        SysError::new("asking what is attached to the cgroup", "bpf(BPF_PROG_QUERY)", error)
    })?;
    // SAFETY: the kernel has written these two fields of the member that was filled above.
    let query = unsafe { attributes.query };
    // SAFETY: both members are the same integer.
    let count = unsafe { query.__bindgen_anon_2.prog_cnt } as usize;
    let sharing = match query.attach_flags {
        flags if flags & BPF_F_ALLOW_MULTI != 0 => Sharing::Multi,
        flags if flags & BPF_F_ALLOW_OVERRIDE != 0 => Sharing::Override,
        _ => Sharing::Exclusive,
    };
    Ok(Attached { sharing, programs: ids.iter().take(count).copied().collect() })
}

/// The name of a program by its id, where this process may ask (it takes CAP_SYS_ADMIN).
pub(crate) fn program_name(id: u32) -> Option<String> {
    let mut attributes = attributes();
    attributes.__bindgen_anon_6.__bindgen_anon_1.prog_id = id;
    // SAFETY: the attributes hold no address, and the call opens a descriptor.
    let fd = unsafe { call_for_fd(Command::ProgGetFdById, &mut attributes) }.ok()?;
    // SAFETY: the descriptor is a program's.
    let info: bpf_prog_info = unsafe { info(fd.as_fd()) }.ok()?;
    Some(kernel_name(&info.name)).filter(|name| !name.is_empty())
}

//! The one door to bpf(2): every call that aya has no function for goes through [`call`].
//!
//! [`map`] creates, fills, reads and freezes maps, [`percpu`] and [`ring`] read those that programs write, [`link`]
//! attaches programs to a cgroup and asks what is attached there, [`mapped`] maps the cell's words into memory,
//! [`netlink`] asks about sockets, [`run`] runs programs that are attached nowhere. They know no policy and no
//! generation.
//!
//! INVARIANT: this is the only module of user space with `unsafe`. Descriptors are owned, buffers are sized
//! by what the kernel says about the object, and each error names the call and what it was for.
#![expect(unsafe_code, reason = "bpf(2) takes addresses and mmap(2) gives one")]

pub(crate) mod gate;
pub(crate) mod link;
pub(crate) mod map;
pub(crate) mod mapped;
pub(crate) mod netlink;
pub(crate) mod netns;
pub(crate) mod percpu;
pub(crate) mod ring;
pub(crate) mod run;
pub(crate) mod signals;
#[cfg(test)]
pub(crate) mod twin;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use aya_obj::generated::{BPF_F_RDONLY, bpf_attr, bpf_cmd};

use crate::fs::Dir;

/// A system call failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {call}")]
pub struct SysError {
    doing: String,
    call: &'static str,
    source: io::Error,
}

impl SysError {
    /// The error of `call`, made while `doing` something that a user knows.
    pub(crate) fn new(doing: impl Into<String>, call: &'static str, source: impl Into<io::Error>) -> Self {
        Self { doing: doing.into(), call, source: source.into() }
    }

    /// The kernel refused for lack of rights.
    pub(crate) fn is_denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    /// The number of the error, as errno(3) lists them.
    pub(crate) fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// Something is pinned under a name of ours that is no object of the kind which the name stands for.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.errno(), None | Some(libc::EINVAL))
    }
}

/// An attribute block without any field set: what the kernel does not know must be zero.
fn attributes() -> bpf_attr {
    // SAFETY: `bpf_attr` is a union of plain integers, arrays of them and bit fields; zero is a value of each.
    unsafe { std::mem::zeroed() }
}

/// What bpf(2) is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    MapCreate,
    MapLookupElem,
    MapUpdateElem,
    MapDeleteElem,
    MapUpdateBatch,
    MapLookupBatch,
    MapFreeze,
    ObjPin,
    ObjGet,
    ObjGetInfoByFd,
    ProgGetFdById,
    ProgQuery,
    LinkCreate,
    LinkUpdate,
    LinkDetach,
    ProgLoad,
    ProgRun,
}

impl Command {
    const fn number(self) -> bpf_cmd {
        match self {
            Self::MapCreate => bpf_cmd::BPF_MAP_CREATE,
            Self::MapLookupElem => bpf_cmd::BPF_MAP_LOOKUP_ELEM,
            Self::MapUpdateElem => bpf_cmd::BPF_MAP_UPDATE_ELEM,
            Self::MapDeleteElem => bpf_cmd::BPF_MAP_DELETE_ELEM,
            Self::MapUpdateBatch => bpf_cmd::BPF_MAP_UPDATE_BATCH,
            Self::MapLookupBatch => bpf_cmd::BPF_MAP_LOOKUP_BATCH,
            Self::MapFreeze => bpf_cmd::BPF_MAP_FREEZE,
            Self::ObjPin => bpf_cmd::BPF_OBJ_PIN,
            Self::ObjGet => bpf_cmd::BPF_OBJ_GET,
            Self::ObjGetInfoByFd => bpf_cmd::BPF_OBJ_GET_INFO_BY_FD,
            Self::ProgGetFdById => bpf_cmd::BPF_PROG_GET_FD_BY_ID,
            Self::ProgQuery => bpf_cmd::BPF_PROG_QUERY,
            Self::LinkCreate => bpf_cmd::BPF_LINK_CREATE,
            Self::LinkUpdate => bpf_cmd::BPF_LINK_UPDATE,
            Self::LinkDetach => bpf_cmd::BPF_LINK_DETACH,
            Self::ProgLoad => bpf_cmd::BPF_PROG_LOAD,
            Self::ProgRun => bpf_cmd::BPF_PROG_TEST_RUN,
        }
    }

    /// The call as errors name it.
    const fn name(self) -> &'static str {
        match self {
            Self::MapCreate => "bpf(BPF_MAP_CREATE)",
            Self::MapLookupElem => "bpf(BPF_MAP_LOOKUP_ELEM)",
            Self::MapUpdateElem => "bpf(BPF_MAP_UPDATE_ELEM)",
            Self::MapDeleteElem => "bpf(BPF_MAP_DELETE_ELEM)",
            Self::MapUpdateBatch => "bpf(BPF_MAP_UPDATE_BATCH)",
            Self::MapLookupBatch => "bpf(BPF_MAP_LOOKUP_BATCH)",
            Self::MapFreeze => "bpf(BPF_MAP_FREEZE)",
            Self::ObjPin => "bpf(BPF_OBJ_PIN)",
            Self::ObjGet => "bpf(BPF_OBJ_GET)",
            Self::ObjGetInfoByFd => "bpf(BPF_OBJ_GET_INFO_BY_FD)",
            Self::ProgGetFdById => "bpf(BPF_PROG_GET_FD_BY_ID)",
            Self::ProgQuery => "bpf(BPF_PROG_QUERY)",
            Self::LinkCreate => "bpf(BPF_LINK_CREATE)",
            Self::LinkUpdate => "bpf(BPF_LINK_UPDATE)",
            Self::LinkDetach => "bpf(BPF_LINK_DETACH)",
            Self::ProgLoad => "bpf(BPF_PROG_LOAD)",
            Self::ProgRun => "bpf(BPF_PROG_TEST_RUN)",
        }
    }
}

/// bpf(2).
///
/// # Safety
/// Every address in `attributes` is null or points to a live buffer of the size that `command` reads or
/// writes there.
unsafe fn call(command: Command, attributes: &mut bpf_attr) -> io::Result<RawFd> {
    gate::enter(command.name())?;
    #[cfg(test)]
    if let Some(twin) = gate::Script::current().and_then(|script| script.twin()) {
        return twin.call(command, attributes);
    }
    let size = size_of::<bpf_attr>();
    // SAFETY: the kernel reads and writes `size` bytes at `attributes`; the caller vouches for the rest.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command.number() as libc::c_long, attributes, size) };
    match RawFd::try_from(answer) {
        Ok(answer) if answer >= 0 => Ok(answer),
        _ => Err(io::Error::last_os_error()),
    }
}

/// bpf(2) with a command that answers with a new descriptor.
///
/// # Safety
/// As for [`call`], and `command` is one whose answer is a new descriptor.
unsafe fn call_for_fd(command: Command, attributes: &mut bpf_attr) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the attributes.
    let fd = unsafe { call(command, attributes) }?;
    // SAFETY: the caller vouches that the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A descriptor as an attribute.
fn raw(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// The address of a buffer as an attribute.
fn address<T: ?Sized>(buffer: *const T) -> u64 {
    buffer.cast::<()>().addr() as u64
}

/// A path as bpf(2) takes it.
fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from)
}

/// What an object is opened for. A bpffs that is mounted read-only gives maps and programs to readers, and
/// links to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To look at it.
    Read,
    /// To change it, too.
    Write,
}

/// Opens what is pinned under a name, `what` of which `of_fd` makes; `None` where nothing has the name.
fn open_pinned<T>(
    what: &str,
    directory: &Dir,
    name: &str,
    access: Access,
    of_fd: impl FnOnce(OwnedFd) -> io::Result<T>,
) -> Result<Option<T>, SysError> {
    let path = directory.path().join(name);
    let fail =
        |error| SysError::new(format!("opening {what} `{}`", path.display()), "bpf(BPF_OBJ_GET)", error);
    match open_pin(&directory.at(name), access) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(error)),
        Ok(fd) => of_fd(fd).map(Some).map_err(fail),
    }
}

/// Opens the object pinned at `path`, whatever it is.
fn open_pin(path: &Path, access: Access) -> io::Result<OwnedFd> {
    let name = c_path(path)?;
    let mut attributes = attributes();
    attributes.__bindgen_anon_4.pathname = address(name.as_ptr());
    attributes.__bindgen_anon_4.file_flags = match access {
        Access::Read => BPF_F_RDONLY,
        Access::Write => 0,
    };
    // SAFETY: `name` is NUL-terminated and lives to the end of the call, which opens a descriptor.
    unsafe { call_for_fd(Command::ObjGet, &mut attributes) }
}

/// Pins an object in a directory, where nothing may have the name.
pub(in crate::kernel) fn pin(fd: BorrowedFd<'_>, directory: &Dir, name: &str) -> Result<(), SysError> {
    let doing = || format!("pinning `{}`", directory.path().join(name).display());
    let name =
        c_path(&directory.at(name)).map_err(|error| SysError::new(doing(), "bpf(BPF_OBJ_PIN)", error))?;
    let mut attributes = attributes();
    attributes.__bindgen_anon_4.pathname = address(name.as_ptr());
    attributes.__bindgen_anon_4.bpf_fd = raw(fd);
    // SAFETY: `name` is NUL-terminated and lives to the end of the call.
    unsafe { call(Command::ObjPin, &mut attributes) }
        .map_err(|error| SysError::new(doing(), "bpf(BPF_OBJ_PIN)", error))?;
    Ok(())
}

/// What the kernel says about the object behind a descriptor.
///
/// # Safety
/// `T` is the information struct of this kind of object, made of plain integers only.
unsafe fn info<T>(fd: BorrowedFd<'_>) -> io::Result<T> {
    // SAFETY: the caller vouches that `T` is made of integers, of which zero is a value.
    let mut info: T = unsafe { std::mem::zeroed() };
    // SAFETY: the caller vouches for the rest.
    unsafe { info_into(fd, &mut info) }?;
    Ok(info)
}

/// The same, with fields that ask for more: addresses of buffers and their lengths.
///
/// # Safety
/// As for [`info`], and every address in `info` is null or points to a live buffer of the length beside it.
unsafe fn info_into<T>(fd: BorrowedFd<'_>, info: &mut T) -> io::Result<()> {
    let mut attributes = attributes();
    attributes.info.bpf_fd = raw(fd);
    attributes.info.info_len = u32::try_from(size_of::<T>()).unwrap_or(0);
    attributes.info.info = address(&raw mut *info);
    // SAFETY: `info` is a live buffer of `info_len` bytes.
    unsafe { call(Command::ObjGetInfoByFd, &mut attributes) }?;
    Ok(())
}

/// A name as the kernel keeps it, up to the first NUL.
fn kernel_name(name: &[libc::c_char; 16]) -> String {
    let bytes: Vec<u8> = name.iter().flat_map(|c| c.to_ne_bytes()).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

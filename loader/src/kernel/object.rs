//! The kernel programs, built into this binary, and how they get into the kernel.

use std::io;
use std::os::fd::AsFd;

use aya::programs::CgroupSockAddr;
use aya::{EbpfLoader, include_bytes_aligned};
use lrpc_schema::image::Digest;
use lrpc_schema::records::{
    CELL, COUNTERS, CountPlace, DATAGRAMS, Datagrams, EVENTS, Hook, PEERS, Peer, Table,
};

use super::hooks::{Programs, stranger};
use super::pins::{Folder, PinError, Pins};
use super::shared::Shared;
use super::sys::link::Program;
use super::sys::map::{Kind, Map};
use super::sys::{Access, SysError, gate};
use super::writer::Writer;
use crate::fs::{Dir, FsError};

/// The object of `ebpf/object`, as `cargo xtask ebpf` built it, or the one that the build script was told.
static OBJECT: &[u8] = include_bytes_aligned!(env!("LRPC_BPF_OBJECT"));

/// The programs could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The kernel, usually its verifier, refused the object.
    #[error("loading the kernel programs")]
    Refused(#[from] aya::EbpfError),
    /// The kernel refused one program.
    #[error("loading program `{program}`")]
    Program {
        /// The program.
        program: Hook,
        /// What the kernel says, with the verifier's log.
        source: aya::programs::ProgramError,
    },
    /// The object holds no such program.
    #[error("the built-in object holds no program `{0}`")]
    Absent(Hook),
    /// The socket storage that is pinned has another shape.
    #[error("the pinned map `{0}` is not as this version makes it")]
    Shape(&'static str),
    /// A pin could not be made.
    #[error(transparent)]
    Kernel(#[from] SysError),
    /// The directory of pins cannot be used.
    #[error(transparent)]
    Directory(#[from] FsError),
}

impl From<PinError> for LoadError {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Directory(error) => Self::Directory(error),
            PinError::Kernel(error) => Self::Kernel(error),
        }
    }
}

impl LoadError {
    /// The kernel refused for lack of rights.
    pub(crate) fn is_denied(&self) -> bool {
        match self {
            Self::Kernel(error) => error.is_denied(),
            Self::Directory(error) => error.is_denied(),
            Self::Refused(error) => denied(error),
            Self::Program { source, .. } => denied(source),
            Self::Absent(_) | Self::Shape(_) => false,
        }
    }
}

/// Whether lack of rights stands at the end of an error's causes.
fn denied(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::PermissionDenied;
        }
        next = error.source();
    }
    false
}

/// The version of the programs: blake3 of the object.
pub(crate) fn version() -> Digest {
    Digest::new(*blake3::hash(OBJECT).as_bytes())
}

/// The name of the directory in which programs of a version are pinned.
pub(crate) fn version_name(version: &Digest) -> String {
    blake3::Hash::from_bytes(*version.as_bytes()).to_hex().to_string()
}

/// The programs of this binary: those that are pinned and look into the pinned maps, else loaded and pinned.
/// The cell and the outer maps are pinned already.
pub(crate) fn programs(writer: &Writer, shared: &Shared) -> Result<Programs, LoadError> {
    let version = version_name(&version());
    if let Some(programs) = pinned(writer, &version)? {
        if looking_into(&programs, shared)? {
            return Ok(programs);
        }
        // They serve maps that are not pinned any more. They stay pinned under another name, by which their
        // links are known as ours until they are replaced.
        let taken = writer.versions()?;
        let mut other = version.clone();
        while taken.contains(&other) {
            other = version_name(&Digest::new(*blake3::hash(other.as_bytes()).as_bytes()));
        }
        writer.rename(&Folder::Version(version.clone()), &Folder::Version(other))?;
    }
    load(writer, &version)
}

fn looking_into(programs: &Programs, shared: &Shared) -> Result<bool, SysError> {
    let maps = shared.used_by_programs();
    for (hook, program) in programs {
        if stranger(program, *hook, &maps)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The pinned programs of a version, if all of them are.
pub(crate) fn pinned(pins: &Pins, version: &str) -> Result<Option<Programs>, PinError> {
    let mut programs = Programs::new();
    for hook in Hook::ALL {
        let Some(program) = pins.program(version, hook)? else {
            return Ok(None);
        };
        programs.insert(hook, program);
    }
    Ok(Some(programs))
}

fn load(writer: &Writer, version: &str) -> Result<Programs, LoadError> {
    let (tables, outers) = (writer.make(&Folder::Tables)?, writer.make(&Folder::Outers)?);
    let sockets = writer.make(&Folder::Sockets)?;
    // aya opens what is pinned without looking at it.
    for (name, kind, key_size, value_size) in LASTING {
        let is_ours = |map: &Map| {
            let shape = map.shape();
            let sizes = (shape.key_size as usize, shape.value_size as usize);
            (shape.kind, sizes) == (kind, (key_size, value_size))
        };
        match Map::open(&sockets, name, Access::Write) {
            Ok(None) => {}
            Ok(Some(map)) if is_ours(&map) => {}
            Ok(Some(_)) => return Err(LoadError::Shape(name)),
            Err(error) if error.is_foreign() => return Err(LoadError::Shape(name)),
            Err(error) => return Err(error.into()),
        }
    }
    let folder = Folder::Version(version.to_owned());
    writer.remove(&folder)?;
    let directory = writer.make(&folder)?;
    let mut programs = Programs::new();
    for (hook, program) in verified(&tables, &outers, &sockets)? {
        writer.pin(program.as_fd(), &directory, hook.name())?;
        programs.insert(hook, program);
    }
    Ok(programs)
}

/// The maps that outlive every generation, which the object makes: their names, kinds and sizes.
const LASTING: [(&str, Kind, usize, usize); 4] = [
    (PEERS, Kind::SocketStorage, 4, Peer::SIZE),
    (DATAGRAMS, Kind::SocketStorage, 4, Datagrams::SIZE),
    (COUNTERS, Kind::PerCpuArray, 4, CountPlace::SIZE),
    (EVENTS, Kind::Ring, 0, 0),
];

/// Has the kernel verify the programs, with the maps that are pinned.
fn verified(tables: &Dir, outers: &Dir, sockets: &Dir) -> Result<Vec<(Hook, Program)>, LoadError> {
    let fail = |error| SysError::new("loading the kernel programs", "bpf(BPF_PROG_LOAD)", error);
    gate::enter("bpf(BPF_PROG_LOAD)").map_err(fail)?;
    #[cfg(test)]
    if let Some(twin) = gate::Script::current().and_then(|script| script.twin()) {
        return twin.load(tables, outers, sockets).map_err(|error| fail(error).into());
    }
    let mut loader = EbpfLoader::new();
    loader.default_map_pin_directory(tables.at(".")).map_pin_path(CELL, tables.at(CELL));
    for table in Table::ALL {
        loader.map_pin_path(table.name(), outers.at(table.name()));
    }
    for (name, ..) in LASTING {
        loader.map_pin_path(name, sockets.at(name));
    }
    let mut object = loader.load(OBJECT)?;
    let mut programs = Vec::new();
    for hook in Hook::ALL {
        let fail = |source| LoadError::Program { program: hook, source };
        let program = object.program_mut(hook.name()).ok_or(LoadError::Absent(hook))?;
        let program: &mut CgroupSockAddr = program.try_into().map_err(fail)?;
        program.load().map_err(fail)?;
        programs.push((hook, Program::of_fd(program.fd().map_err(fail)?.as_fd())?));
    }
    Ok(programs)
}

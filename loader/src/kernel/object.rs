//! The kernel programs, built into this binary, and how they get into the kernel.

use std::os::fd::AsFd;

use aya::programs::CgroupSockAddr;
use aya::{EbpfLoader, include_bytes_aligned};
use lrpc_schema::image::Digest;
use lrpc_schema::records::{BACKENDS, CELL, FRONTENDS, PEERS, Peer};

use super::hooks::{HOOKS, Programs};
use super::pins::{self, Pins};
use super::sys::SysError;
use super::sys::link::Program;
use super::sys::map::{Kind, Map};
use super::sys::pin;

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
        program: &'static str,
        /// What the kernel says, with the verifier's log.
        source: aya::programs::ProgramError,
    },
    /// The object holds no such program.
    #[error("the built-in object holds no program `{0}`")]
    Absent(&'static str),
    /// The socket storage that is pinned has another shape.
    #[error("the pinned map `{0}` is not as this version makes it")]
    Shape(&'static str),
    /// A pin could not be made.
    #[error(transparent)]
    Pin(#[from] SysError),
}

/// The version of the programs: blake3 of the object.
pub(crate) fn version() -> Digest {
    Digest::new(*blake3::hash(OBJECT).as_bytes())
}

/// The name of the directory in which programs of a version are pinned.
pub(crate) fn version_name(version: &Digest) -> String {
    blake3::Hash::from_bytes(*version.as_bytes()).to_hex().to_string()
}

/// The programs of this binary: those that are pinned, else loaded and pinned. The cell and the outer maps
/// are pinned already.
pub(crate) fn programs(pins: &Pins) -> Result<Programs, LoadError> {
    let version = version_name(&version());
    match pinned(pins, &version)? {
        Some(programs) => Ok(programs),
        None => load(pins, &version),
    }
}

/// The pinned programs of a version, if all of them are.
pub(crate) fn pinned(pins: &Pins, version: &str) -> Result<Option<Programs>, SysError> {
    let mut programs = Programs::new();
    for hook in HOOKS {
        let Some(program) = Program::open(&pins.program(version, hook.name))? else {
            return Ok(None);
        };
        programs.insert(hook.name, program);
    }
    Ok(Some(programs))
}

fn load(pins: &Pins, version: &str) -> Result<Programs, LoadError> {
    pins::make(&pins.state())?;
    // aya opens what is pinned without looking at it.
    if let Some(peers) = Map::open(&pins.peers())? {
        let shape = peers.shape();
        if (shape.kind, shape.value_size as usize) != (Kind::SocketStorage, Peer::SIZE) {
            return Err(LoadError::Shape(PEERS));
        }
    }
    let mut object = EbpfLoader::new()
        .default_map_pin_directory(pins.tables())
        .map_pin_path(CELL, pins.cell())
        .map_pin_path(FRONTENDS, pins.outer(FRONTENDS))
        .map_pin_path(BACKENDS, pins.outer(BACKENDS))
        .map_pin_path(PEERS, pins.peers())
        .load(OBJECT)?;
    let directory = pins.programs().join(version);
    pins::remove(&directory)?;
    pins::make(&directory)?;
    let mut programs = Programs::new();
    for hook in HOOKS {
        let fail = |source| LoadError::Program { program: hook.name, source };
        let program = object.program_mut(hook.name).ok_or(LoadError::Absent(hook.name))?;
        let program: &mut CgroupSockAddr = program.try_into().map_err(fail)?;
        program.load().map_err(fail)?;
        let program = Program::of_fd(program.fd().map_err(fail)?.as_fd())?;
        pin(program.as_fd(), &pins.program(version, hook.name))?;
        programs.insert(hook.name, program);
    }
    Ok(programs)
}

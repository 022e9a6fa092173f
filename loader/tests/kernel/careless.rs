//! Programs that redirect every connect to one frontend, out of the same tables as ours, with something wrong or slow
//! between the two tables. What they show is that the storm sees what comes of it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use aya::maps::MapData;
use aya_obj::generated::bpf_attach_type::BPF_CGROUP_INET4_CONNECT;
use lrpc_schema::records::FrontendKey;

use crate::assembly::{EXIT, Instruction, attach, instruction, load, set};

/// Where the context has the address and the port.
const USER_IP4: i16 = 4;
const USER_PORT: i16 = 24;

/// What happens between the look into the one table and into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Between {
    /// A microsecond or so passes, as on a slow machine.
    Time,
    /// As much time passes, and the cell is read again.
    SecondLook,
}

/// Calls of a helper that take a microsecond or so.
const WHILE: usize = 200;

/// Attaches one to a new cgroup below another, for as long as what it gives is kept, and gives the new one's path. The
/// maps are those that are pinned in a folder.
pub(crate) fn careless(
    tables: &Path,
    above: &Path,
    frontend: FrontendKey,
    between: Between,
) -> io::Result<(OwnedFd, PathBuf)> {
    let open = |name: &str| MapData::from_pin(tables.join(name)).map_err(io::Error::other);
    let (cell, frontends, backends) = (open("cell")?, open("outer/frontends")?, open("outer/backends")?);
    let code = code(cell.fd().as_fd(), frontends.fd().as_fd(), backends.fd().as_fd(), frontend, between);
    let program = load(BPF_CGROUP_INET4_CONNECT, "careless", &code)?;
    let cgroup = above.join("careless");
    std::fs::create_dir(&cgroup)?;
    Ok((attach(&program, BPF_CGROUP_INET4_CONNECT, 0, &cgroup)?, cgroup))
}

/// Registers: 6 the context, 7 a slot, 8 the index of a backend. Every key stands at the end of the stack's first 40
/// bytes.
fn code(
    cell: BorrowedFd<'_>,
    frontends: BorrowedFd<'_>,
    backends: BorrowedFd<'_>,
    frontend: FrontendKey,
    between: Between,
) -> Vec<Instruction> {
    let mut code = vec![copy(6, 1)];
    let slot_of = |code: &mut Vec<Instruction>| {
        code.push(store_zero(-8));
        code.extend(map(cell));
        code.extend(look_up(-8));
        code.extend([load_word(7, 0, 0), instruction(0x57, 7, 0, 0xffff), store(-8, 7)]);
    };
    slot_of(&mut code);
    code.extend(map(frontends));
    code.extend(look_up(-8));
    code.push(copy(1, 0));
    for (word, offset) in frontend.words().iter().zip([-32, -24, -16]) {
        code.extend(wide(2, *word));
        code.push(store(offset, 2));
    }
    code.extend(look_up(-32));
    code.push(load_word(8, 0, 8));

    code.extend([call(RANDOM); WHILE]);
    if between == Between::SecondLook {
        slot_of(&mut code);
    }
    code.extend(map(backends));
    code.extend(look_up(-8));
    code.extend([copy(1, 0), store(-16, 8)]);
    code.extend(look_up(-16));
    code.extend([load_half(1, 0, 12), answer(USER_IP4), load_quarter(1, 0, 16), answer(USER_PORT)]);
    code.extend([set(0, 1), EXIT]);
    code
}

/// `r0 =` what the map in register 1 has for the key at an offset of the stack. Where it has nothing, the connect is
/// refused.
fn look_up(offset: i32) -> [Instruction; 6] {
    [copy(2, 10), instruction(0x07, 2, 0, offset), call(LOOK_UP), instruction(0x55, 0, 2, 0), set(0, 0), EXIT]
}

/// Helpers by their numbers.
const LOOK_UP: i32 = 1;
const RANDOM: i32 = 7;

fn call(helper: i32) -> Instruction {
    instruction(0x85, 0, 0, helper)
}

/// `r1 =` a map.
fn map(fd: BorrowedFd<'_>) -> [Instruction; 2] {
    [instruction(0x18, 1 | 1 << 4, 0, fd.as_raw_fd()), 0]
}

/// `destination =` a word.
fn wide(destination: u8, word: u64) -> [Instruction; 2] {
    let [a, b, c, d, e, f, g, h] = word.to_ne_bytes();
    let (low, high) = (i32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h]));
    [instruction(0x18, destination, 0, low), instruction(0, 0, 0, high)]
}

fn copy(destination: u8, source: u8) -> Instruction {
    instruction(0xbf, destination | source << 4, 0, 0)
}

/// `destination =` 8 bytes at an offset from a pointer; below 4 and 2 bytes.
fn load_word(destination: u8, pointer: u8, offset: i16) -> Instruction {
    instruction(0x79, destination | pointer << 4, offset, 0)
}

fn load_half(destination: u8, pointer: u8, offset: i16) -> Instruction {
    instruction(0x61, destination | pointer << 4, offset, 0)
}

fn load_quarter(destination: u8, pointer: u8, offset: i16) -> Instruction {
    instruction(0x69, destination | pointer << 4, offset, 0)
}

/// A word of the stack `= source`.
fn store(offset: i16, source: u8) -> Instruction {
    instruction(0x7b, 10 | source << 4, offset, 0)
}

fn store_zero(offset: i16) -> Instruction {
    instruction(0x7a, 10, offset, 0)
}

/// A field of the context `= r1`.
fn answer(field: i16) -> Instruction {
    instruction(0x63, 6 | 1 << 4, field, 0)
}

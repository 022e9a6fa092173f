//! A kernel of plain collections, for unit tests: maps, programs, links and what is pinned, as far as the
//! loader asks for them.
//!
//! Directories are real ones; what is pinned in them is a file with the object's number. A descriptor is a
//! memory file with the same number, whose first page is the cell's where the object is a cell.

#![expect(
    clippy::cast_possible_truncation,
    clippy::multiple_unsafe_ops_per_block,
    clippy::type_complexity,
    reason = "it takes the kernel's side of every call, for tests alone"
)]

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use aya_obj::generated::{
    BPF_F_ALLOW_MULTI, BPF_F_BEFORE, bpf_attr, bpf_link_info, bpf_link_type, bpf_map_info, bpf_map_type,
    bpf_prog_info,
};
use lrpc_schema::records::{
    CELL, COUNTERS, Cell, CountPlace, DATAGRAMS, Datagrams, EVENTS, Generation, Hook, PEERS, Peer, Table,
};

use super::Command;
use super::link::Program;
use crate::fs::Dir;
use crate::kernel::bpffs::BPF_FS;
use crate::kernel::cgroup::CGROUP2;
use crate::kernel::hooks::attach_type;
use crate::probe::is_test_entry;

/// The kernel that stands in for the running one.
#[derive(Default)]
pub(crate) struct Twin {
    world: Mutex<World>,
    /// It is older than 6.16: `BPF_F_BEFORE` is unknown.
    is_old: bool,
}

#[derive(Default)]
struct World {
    objects: BTreeMap<u32, Object>,
    /// The links that are attached, in the order in which their programs run.
    attached: Vec<u32>,
}

struct Object {
    file: File,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Map { shape: [u32; 5], frozen: bool, entries: BTreeMap<Vec<u8>, Vec<u8>> },
    Program { maps: Vec<u32> },
    Link { program: u32, cgroup: u64, attach_type: u32 },
}

/// Where a descriptor's file has the object's number.
const NUMBER_AT: u64 = 4096;

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// The object of a descriptor.
fn of_fd(fd: u32) -> io::Result<u32> {
    let file = std::mem::ManuallyDrop::new(
        // SAFETY: the caller of bpf(2) owns the descriptor, and it is not closed here.
        unsafe { File::from_raw_fd(fd.cast_signed()) },
    );
    let mut number = [0; 4];
    file.read_exact_at(&mut number, NUMBER_AT).map_err(|_| error(libc::EBADF))?;
    Ok(u32::from_ne_bytes(number))
}

/// # Safety
/// `address` is that of a live buffer of `length` bytes.
unsafe fn bytes(address: u64, length: usize) -> Vec<u8> {
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(address as usize), length) }
        .to_vec()
}

/// # Safety
/// `address` is that of a live buffer with room for `bytes`.
unsafe fn put(address: u64, bytes: &[u8]) {
    let place = std::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: the caller vouches for it.
    unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// # Safety
/// `address` is that of a NUL-terminated text.
unsafe fn path(address: u64) -> PathBuf {
    let text = std::ptr::with_exposed_provenance::<libc::c_char>(address as usize);
    // SAFETY: the caller vouches for it.
    let text = unsafe { std::ffi::CStr::from_ptr(text) };
    PathBuf::from(text.to_str().unwrap())
}

/// A descriptor's file for an object.
fn file_of(number: u32) -> io::Result<File> {
    let file = File::from(rustix::fs::memfd_create("object", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all_at(&number.to_ne_bytes(), NUMBER_AT)?;
    Ok(file)
}

impl World {
    fn add(&mut self, kind: Kind) -> io::Result<u32> {
        let number = self.objects.last_key_value().map_or(1, |(last, _)| last + 1);
        let file = file_of(number)?;
        self.objects.insert(number, Object { file, kind });
        Ok(number)
    }

    fn open(&self, number: u32) -> io::Result<RawFd> {
        let object = self.objects.get(&number).ok_or_else(|| error(libc::ENOENT))?;
        Ok(OwnedFd::from(object.file.try_clone()?).into_raw_fd())
    }

    fn map(&mut self, fd: u32) -> io::Result<(&mut [u32; 5], &mut bool, &mut BTreeMap<Vec<u8>, Vec<u8>>)> {
        match self.objects.get_mut(&of_fd(fd)?).map(|object| &mut object.kind) {
            Some(Kind::Map { shape, frozen, entries }) => Ok((shape, frozen, entries)),
            _ => Err(error(libc::EINVAL)),
        }
    }

    fn programs(&self, cgroup: u64, hook: u32) -> Vec<u32> {
        let program = |link: &u32| match self.objects[link].kind {
            Kind::Link { program, cgroup: at, attach_type } if (at, attach_type) == (cgroup, hook) => {
                Some(program)
            }
            Kind::Map { .. } | Kind::Program { .. } | Kind::Link { .. } => None,
        };
        self.attached.iter().filter_map(program).collect()
    }
}

/// The path behind `/proc/self/fd/N/NAME`, through which ordinary file systems make no files.
fn plain(at: &Path) -> io::Result<PathBuf> {
    let name = at.file_name().ok_or_else(|| error(libc::EINVAL))?;
    Ok(std::fs::read_link(at.parent().unwrap())?.join(name))
}

/// A file in the place of a pin.
fn write_pin(at: &Path, number: u32) -> io::Result<()> {
    let at = plain(at)?;
    OpenOptions::new().write(true).create_new(true).open(at)?.write_all(&number.to_ne_bytes())
}

fn read_pin(at: &Path) -> io::Result<u32> {
    let bytes = std::fs::read(plain(at)?)?;
    Ok(u32::from_ne_bytes(bytes.as_slice().try_into().map_err(|_| error(libc::EINVAL))?))
}

impl Twin {
    /// Another kernel in the same state.
    pub(crate) fn copy(&self) -> Self {
        let world = self.world.lock().unwrap();
        let object = |(number, object): (&u32, &Object)| {
            let mut words = [0; 16];
            object.file.read_exact_at(&mut words, 0).unwrap();
            let file = file_of(*number).unwrap();
            file.write_all_at(&words, 0).unwrap();
            (*number, Object { file, kind: object.kind.clone() })
        };
        let copied =
            World { objects: world.objects.iter().map(object).collect(), attached: world.attached.clone() };
        Self { world: Mutex::new(copied), is_old: self.is_old }
    }

    /// A kernel that does not know `BPF_F_BEFORE`.
    pub(crate) fn older_than_6_16() -> Self {
        Self { is_old: true, ..Self::default() }
    }

    /// Every directory is on a bpffs, but for those of a cgroup tree.
    pub(crate) fn file_system(&self, fd: BorrowedFd<'_>) -> io::Result<u64> {
        let path = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
        Ok(Self::file_system_at(&path))
    }

    /// The same of a path.
    pub(crate) fn file_system_at(path: &Path) -> u64 {
        if path.ends_with("cgroup") { CGROUP2 } else { BPF_FS }
    }

    /// The generation that a connect of a socket below a cgroup meets, and the number of its frontends.
    pub(crate) fn served(&self, cgroup: u64) -> Option<(Generation, usize)> {
        let world = self.world.lock().unwrap();
        let programs = world.programs(cgroup, attach_type(Hook::Connect4));
        let Kind::Program { maps } = &world.objects[programs.first()?].kind else { return None };
        let mut word = [0; 8];
        world.objects[&maps[0]].file.read_exact_at(&mut word, 0).unwrap();
        let cell = Cell::from_word(u64::from_ne_bytes(word));
        let generation = cell.generation()?;
        let Kind::Map { entries, .. } = &world.objects[&maps[1]].kind else { return None };
        let inner = entries.get(u32::from(cell.slot().get()).to_ne_bytes().as_slice())?;
        let inner = u32::from_ne_bytes(inner.as_slice().try_into().unwrap());
        let Kind::Map { entries, .. } = &world.objects[&inner].kind else { return None };
        let frontends = entries.iter().filter(|(key, value)| !is_test_entry(key, value)).count();
        Some((generation, frontends))
    }

    /// Attaches a program of somebody else's before all others.
    pub(crate) fn attach_stranger(&self, cgroup: u64, hook: Hook) {
        let mut world = self.world.lock().unwrap();
        let program = world.add(Kind::Program { maps: Vec::new() }).unwrap();
        let link = Kind::Link { program, cgroup, attach_type: attach_type(hook) };
        let link = world.add(link).unwrap();
        world.attached.insert(0, link);
    }

    /// Takes every program off a hook, as happens when the last pin of its link goes.
    pub(crate) fn detach(&self, cgroup: u64, hook: Hook) {
        let World { objects, attached } = &mut *self.world.lock().unwrap();
        let is_there = |link: &u32| {
            let place = (cgroup, attach_type(hook));
            matches!(objects[link].kind, Kind::Link { cgroup, attach_type, .. } if (cgroup, attach_type) == place)
        };
        attached.retain(|link| !is_there(link));
    }

    /// How many programs are attached.
    pub(crate) fn attached(&self) -> usize {
        self.world.lock().unwrap().attached.len()
    }

    /// Loads the programs with the maps that are pinned.
    pub(crate) fn load(&self, tables: &Dir, outers: &Dir, sockets: &Dir) -> io::Result<Vec<(Hook, Program)>> {
        let mut world = self.world.lock().unwrap();
        let lasting = [
            (PEERS, bpf_map_type::BPF_MAP_TYPE_SK_STORAGE, 4, Peer::SIZE, 0),
            (DATAGRAMS, bpf_map_type::BPF_MAP_TYPE_SK_STORAGE, 4, Datagrams::SIZE, 0),
            (COUNTERS, bpf_map_type::BPF_MAP_TYPE_PERCPU_ARRAY, 4, CountPlace::SIZE, CountPlace::COUNT),
            (EVENTS, bpf_map_type::BPF_MAP_TYPE_RINGBUF, 0, 0, 0),
        ];
        let mut memory = Vec::new();
        for (name, kind, key_size, value_size, most) in lasting {
            let pin = sockets.at(name);
            if !pin.exists() {
                let shape = [kind as u32, key_size, value_size as u32, most, 0];
                let map = world.add(Kind::Map { shape, frozen: false, entries: BTreeMap::new() })?;
                write_pin(&pin, map)?;
            }
            memory.push(read_pin(&pin)?);
        }
        let mut forward = vec![read_pin(&tables.at(CELL))?];
        for table in Table::ALL {
            forward.push(read_pin(&outers.at(table.name()))?);
        }
        forward.extend(&memory);
        let mut programs = Vec::new();
        for hook in Hook::ALL {
            let maps = if hook.decides() { forward.clone() } else { memory.clone() };
            let program = world.add(Kind::Program { maps })?;
            // SAFETY: `open` gives a descriptor of its own.
            programs.push((hook, unsafe { OwnedFd::from_raw_fd(world.open(program)?) }));
        }
        drop(world);
        let program = |(hook, fd)| Ok((hook, Program::of_owned(fd)?));
        programs.into_iter().map(program).collect()
    }

    /// bpf(2).
    pub(super) fn call(&self, command: Command, attributes: &mut bpf_attr) -> io::Result<RawFd> {
        let mut world = self.world.lock().unwrap();
        // SAFETY: each arm reads the members that its command is given, and buffers of the sizes that the maps
        // have, as the callers in `sys` vouch to the real kernel.
        unsafe {
            match command {
                Command::MapCreate => {
                    let wanted = attributes.__bindgen_anon_1;
                    let (size, most) = (wanted.value_size, wanted.max_entries);
                    let shape = [wanted.map_type, wanted.key_size, size, most, wanted.map_flags];
                    let entries = match wanted.map_type == bpf_map_type::BPF_MAP_TYPE_ARRAY as u32 {
                        true => (0..most)
                            .map(|key| (key.to_ne_bytes().to_vec(), vec![0; size as usize]))
                            .collect(),
                        false => BTreeMap::new(),
                    };
                    let map = world.add(Kind::Map { shape, frozen: false, entries })?;
                    world.open(map)
                }
                Command::MapLookupElem => {
                    let wanted = attributes.__bindgen_anon_2;
                    let words = words_of(&world, wanted.map_fd)?;
                    let (shape, _, entries) = world.map(wanted.map_fd)?;
                    let key = bytes(wanted.key, shape[1] as usize);
                    let found = entries.get(&key).ok_or_else(|| error(libc::ENOENT))?;
                    let found = match words.chunks_exact(8).nth(usize::from(key[0])) {
                        Some(word) if shape[4] != 0 && shape[2] == 8 => word,
                        _ => found,
                    };
                    put(wanted.__bindgen_anon_1.value, found);
                    Ok(0)
                }
                Command::MapUpdateElem => {
                    let wanted = attributes.__bindgen_anon_2;
                    let inner = of_fd(u32::from_ne_bytes(
                        bytes(wanted.__bindgen_anon_1.value, 4).try_into().unwrap(),
                    ))?;
                    let (shape, _, entries) = world.map(wanted.map_fd)?;
                    entries.insert(bytes(wanted.key, shape[1] as usize), inner.to_ne_bytes().to_vec());
                    Ok(0)
                }
                Command::MapDeleteElem => {
                    let wanted = attributes.__bindgen_anon_2;
                    let (shape, _, entries) = world.map(wanted.map_fd)?;
                    let gone = entries.remove(&bytes(wanted.key, shape[1] as usize));
                    gone.map(|_| 0).ok_or_else(|| error(libc::ENOENT))
                }
                Command::MapUpdateBatch => {
                    let batch = attributes.batch;
                    let (shape, frozen, entries) = world.map(batch.map_fd)?;
                    if *frozen {
                        return Err(error(libc::EPERM));
                    }
                    let (key, value) = (shape[1] as usize, shape[2] as usize);
                    for number in 0..batch.count as usize {
                        let from = (number * key) as u64;
                        let to = (number * value) as u64;
                        entries.insert(bytes(batch.keys + from, key), bytes(batch.values + to, value));
                    }
                    Ok(0)
                }
                Command::MapLookupBatch => {
                    let batch = attributes.batch;
                    let (shape, _, entries) = world.map(batch.map_fd)?;
                    for (number, (key, value)) in entries.iter().enumerate() {
                        put(batch.keys + (number * shape[1] as usize) as u64, key);
                        put(batch.values + (number * shape[2] as usize) as u64, value);
                    }
                    attributes.batch.count = entries.len() as u32;
                    Err(error(libc::ENOENT))
                }
                Command::MapFreeze => {
                    *world.map(attributes.__bindgen_anon_2.map_fd)?.1 = true;
                    Ok(0)
                }
                Command::ObjPin => {
                    let pin = attributes.__bindgen_anon_4;
                    write_pin(&path(pin.pathname), of_fd(pin.bpf_fd)?).map(|()| 0)
                }
                Command::ObjGet => {
                    let number = read_pin(&path(attributes.__bindgen_anon_4.pathname))?;
                    world.open(number)
                }
                Command::ObjGetInfoByFd => info(&world, attributes),
                Command::ProgQuery => {
                    let query = attributes.query;
                    let cgroup = inode(query.__bindgen_anon_1.target_fd)?;
                    let programs = world.programs(cgroup, query.attach_type);
                    for (number, program) in programs.iter().enumerate() {
                        put(query.prog_ids + (number * 4) as u64, &program.to_ne_bytes());
                    }
                    attributes.query.__bindgen_anon_2.prog_cnt = programs.len() as u32;
                    attributes.query.attach_flags = BPF_F_ALLOW_MULTI;
                    Ok(0)
                }
                Command::LinkCreate => {
                    let wanted = attributes.link_create;
                    let first = wanted.flags & BPF_F_BEFORE != 0;
                    if first && self.is_old {
                        return Err(error(libc::EINVAL));
                    }
                    let program = of_fd(wanted.__bindgen_anon_1.prog_fd)?;
                    let cgroup = inode(wanted.__bindgen_anon_2.target_fd)?;
                    let link = Kind::Link { program, cgroup, attach_type: wanted.attach_type };
                    let link = world.add(link)?;
                    let place = if first { 0 } else { world.attached.len() };
                    world.attached.insert(place, link);
                    world.open(link)
                }
                Command::LinkUpdate => {
                    let wanted = attributes.link_update;
                    let new = of_fd(wanted.__bindgen_anon_1.new_prog_fd)?;
                    let old = of_fd(wanted.__bindgen_anon_2.old_prog_fd)?;
                    match world.objects.get_mut(&of_fd(wanted.link_fd)?).map(|object| &mut object.kind) {
                        Some(Kind::Link { program, .. }) if *program == old => {
                            *program = new;
                            Ok(0)
                        }
                        _ => Err(error(libc::EPERM)),
                    }
                }
                Command::LinkDetach => {
                    let link = of_fd(attributes.link_detach.link_fd)?;
                    world.attached.retain(|attached| *attached != link);
                    match world.objects.get_mut(&link).map(|object| &mut object.kind) {
                        Some(Kind::Link { cgroup, .. }) => *cgroup = 0,
                        _ => return Err(error(libc::EINVAL)),
                    }
                    Ok(0)
                }
                Command::ProgGetFdById | Command::ProgLoad | Command::ProgRun => Err(error(libc::EPERM)),
            }
        }
    }
}

/// The first two words of the memory that a map shares.
fn words_of(world: &World, fd: u32) -> io::Result<[u8; 16]> {
    let mut words = [0; 16];
    world.objects[&of_fd(fd)?].file.read_exact_at(&mut words, 0)?;
    Ok(words)
}

fn inode(fd: u32) -> io::Result<u64> {
    // SAFETY: the caller of bpf(2) owns the descriptor.
    let fd = unsafe { BorrowedFd::borrow_raw(fd.cast_signed()) };
    Ok(rustix::fs::fstat(fd)?.st_ino)
}

/// # Safety
/// The attributes are those of `BPF_OBJ_GET_INFO_BY_FD`, and what they ask is what the object answers.
unsafe fn info(world: &World, attributes: &mut bpf_attr) -> io::Result<RawFd> {
    // SAFETY: as the caller says, here and below.
    let asked = unsafe { attributes.info };
    let number = of_fd(asked.bpf_fd)?;
    let place = asked.info as usize;
    match &world.objects[&number].kind {
        Kind::Map { shape, .. } => {
            // SAFETY: as above.
            let info = unsafe { &mut *std::ptr::with_exposed_provenance_mut::<bpf_map_info>(place) };
            info.id = number;
            [info.type_, info.key_size, info.value_size, info.max_entries, info.map_flags] = *shape;
        }
        Kind::Program { maps } => {
            // SAFETY: as above.
            let info = unsafe { &mut *std::ptr::with_exposed_provenance_mut::<bpf_prog_info>(place) };
            (info.id, info.tag) = (number, [1; 8]);
            if info.map_ids != 0 {
                for (index, map) in maps.iter().enumerate() {
                    // SAFETY: there is room for `nr_map_ids`, and no program here has more.
                    unsafe { put(info.map_ids + (index * 4) as u64, &map.to_ne_bytes()) };
                }
            }
            info.nr_map_ids = maps.len() as u32;
        }
        Kind::Link { program, cgroup, attach_type } => {
            // SAFETY: as above.
            let info = unsafe { &mut *std::ptr::with_exposed_provenance_mut::<bpf_link_info>(place) };
            info.type_ = bpf_link_type::BPF_LINK_TYPE_CGROUP as u32;
            info.id = number;
            info.prog_id = *program;
            info.__bindgen_anon_1.cgroup.cgroup_id = *cgroup;
            info.__bindgen_anon_1.cgroup.attach_type = *attach_type;
        }
    }
    Ok(0)
}

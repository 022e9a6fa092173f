//! Maps: created or opened with a known shape, filled and read in batches, frozen.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use aya_obj::generated::{bpf_map_info, bpf_map_type};

use super::{Access, Command, SysError, address, attributes, call, call_for_fd, info, open_pinned, raw};
use crate::fs::Dir;

/// What a map looks like. Of a map whose values the kernel keeps per CPU `value_size` is that of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// In bytes.
    pub(crate) key_size: u32,
    /// In bytes.
    pub(crate) value_size: u32,
    pub(crate) max_entries: u32,
    pub(crate) flags: u32,
}

/// The kinds of maps that lrpc uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hash,
    Array,
    ArrayOfMaps,
    SocketStorage,
    PerCpuArray,
    Ring,
}

impl Kind {
    const ALL: [(Self, bpf_map_type); 6] = [
        (Self::Hash, bpf_map_type::BPF_MAP_TYPE_HASH),
        (Self::Array, bpf_map_type::BPF_MAP_TYPE_ARRAY),
        (Self::ArrayOfMaps, bpf_map_type::BPF_MAP_TYPE_ARRAY_OF_MAPS),
        (Self::SocketStorage, bpf_map_type::BPF_MAP_TYPE_SK_STORAGE),
        (Self::PerCpuArray, bpf_map_type::BPF_MAP_TYPE_PERCPU_ARRAY),
        (Self::Ring, bpf_map_type::BPF_MAP_TYPE_RINGBUF),
    ];

    fn number(self) -> u32 {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| number as u32)
    }

    fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known as u32 == number).map(|(kind, _)| kind)
    }
}

/// A map of known shape.
#[derive(Debug)]
pub(crate) struct Map {
    fd: OwnedFd,
    name: String,
    id: u32,
    shape: Shape,
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Map {
    /// Creates a map; an array of maps takes `inner` as the template of what its slots hold.
    pub(crate) fn create(name: &str, shape: Shape, inner: Option<&Self>) -> Result<Self, SysError> {
        let fail = |error| SysError::new(format!("creating map `{name}`"), "bpf(BPF_MAP_CREATE)", error);
        // The kernel keeps 15 bytes of a name and a NUL.
        let mut map_name = [0; 16];
        for (place, byte) in map_name.iter_mut().take(15).zip(name.bytes()) {
            *place = libc::c_char::from_ne_bytes([byte]);
        }
        let mut attributes = attributes();
        attributes.__bindgen_anon_1.map_type = shape.kind.number();
        attributes.__bindgen_anon_1.key_size = shape.key_size;
        attributes.__bindgen_anon_1.value_size = shape.value_size;
        attributes.__bindgen_anon_1.max_entries = shape.max_entries;
        attributes.__bindgen_anon_1.map_flags = shape.flags;
        attributes.__bindgen_anon_1.inner_map_fd = inner.map_or(0, |map| raw(map.as_fd()));
        attributes.__bindgen_anon_1.map_name = map_name;
        // SAFETY: the attributes hold no address, and the call opens a descriptor.
        let fd = unsafe { call_for_fd(Command::MapCreate, &mut attributes) }.map_err(fail)?;
        Self::of_fd(fd, name).map_err(fail)
    }

    /// Opens a pinned map; `None` where nothing has the name.
    pub(crate) fn open(directory: &Dir, name: &str, access: Access) -> Result<Option<Self>, SysError> {
        open_pinned("map", directory, name, access, |fd| Self::of_fd(fd, name))
    }

    fn of_fd(fd: OwnedFd, name: &str) -> io::Result<Self> {
        // SAFETY: `bpf_map_info` is what a map's descriptor answers with; of other objects the kernel writes
        // no more than the given length, and the kind below is then not one of ours.
        let info: bpf_map_info = unsafe { info(fd.as_fd()) }?;
        let kind = Kind::of_number(info.type_).ok_or_else(|| {
            io::Error::other(format!("a map of kind {}, which lrpc has none of", info.type_))
        })?;
        let shape = Shape {
            kind,
            key_size: info.key_size,
            value_size: info.value_size,
            max_entries: info.max_entries,
            flags: info.map_flags,
        };
        Ok(Self { fd, name: name.to_owned(), id: info.id, shape })
    }

    /// The kernel's number for this map, never given to another while it lives.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The descriptor alone.
    pub(super) fn into_fd(self) -> OwnedFd {
        self.fd
    }

    pub(super) fn fail(&self, doing: &str, call: &'static str, error: io::Error) -> SysError {
        SysError::new(format!("{doing} map `{}`", self.name), call, error)
    }

    /// A word of an array, as a system call reads it.
    pub(crate) fn word(&self, index: u32) -> Result<u64, SysError> {
        let fail = |error| self.fail("reading", "bpf(BPF_MAP_LOOKUP_ELEM)", error);
        if self.shape.kind != Kind::Array || (self.shape.key_size, self.shape.value_size) != (4, 8) {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let mut word = 0_u64;
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.as_fd());
        attributes.__bindgen_anon_2.key = address(&raw const index);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(&raw mut word);
        // SAFETY: keys of this map have the four bytes of `index`, values the eight of `word`, as checked above.
        unsafe { call(Command::MapLookupElem, &mut attributes) }.map_err(fail)?;
        Ok(word)
    }

    /// The value of a key; `None` where there is none.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, SysError> {
        let fail = |error| self.fail("reading an entry of", "bpf(BPF_MAP_LOOKUP_ELEM)", error);
        if !self.holds_values() || key.len() != self.key_size() {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let mut value = vec![0_u8; self.value_size()];
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.as_fd());
        attributes.__bindgen_anon_2.key = address(key);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(value.as_mut_slice());
        // SAFETY: `key` and `value` have the sizes of this map's, and its values are not per CPU, as checked above.
        match unsafe { call(Command::MapLookupElem, &mut attributes) } {
            Ok(_) => Ok(Some(value)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fail(error)),
        }
    }

    /// The id of the map in a slot of an array of maps.
    pub(crate) fn slot(&self, slot: u32) -> Result<Option<u32>, SysError> {
        let fail = |error| self.fail("reading a slot of", "bpf(BPF_MAP_LOOKUP_ELEM)", error);
        if self.shape.kind != Kind::ArrayOfMaps || (self.shape.key_size, self.shape.value_size) != (4, 4) {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let mut id = 0_u32;
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.as_fd());
        attributes.__bindgen_anon_2.key = address(&raw const slot);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(&raw mut id);
        // SAFETY: keys and values of this map have the four bytes of `slot` and `id`, as checked above.
        match unsafe { call(Command::MapLookupElem, &mut attributes) } {
            Ok(_) => Ok(Some(id)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fail(error)),
        }
    }

    /// Puts a map into a slot of an array of maps. Returns after a grace period of the kernel: no program
    /// run that began before the call is still going on.
    pub(in crate::kernel) fn put_slot(&self, slot: u32, inner: &Self) -> Result<(), SysError> {
        let fail = |error| self.fail("putting a generation into", "bpf(BPF_MAP_UPDATE_ELEM)", error);
        if self.shape.kind != Kind::ArrayOfMaps || (self.shape.key_size, self.shape.value_size) != (4, 4) {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let fd = raw(inner.as_fd());
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.as_fd());
        attributes.__bindgen_anon_2.key = address(&raw const slot);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(&raw const fd);
        // SAFETY: keys and values of this map have the four bytes of `slot` and `fd`, as checked above.
        unsafe { call(Command::MapUpdateElem, &mut attributes) }.map_err(fail)?;
        Ok(())
    }

    /// Empties a slot of an array of maps; an empty one is fine.
    pub(in crate::kernel) fn clear_slot(&self, slot: u32) -> Result<(), SysError> {
        let fail = |error| self.fail("emptying a slot of", "bpf(BPF_MAP_DELETE_ELEM)", error);
        if self.shape.kind != Kind::ArrayOfMaps || self.shape.key_size != 4 {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.as_fd());
        attributes.__bindgen_anon_2.key = address(&raw const slot);
        // SAFETY: keys of this map have the four bytes of `slot`, as checked above.
        match unsafe { call(Command::MapDeleteElem, &mut attributes) } {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(fail(error)),
        }
    }

    /// Writes entries in one call: `keys` and `values` are packed one after the other. Stops half-way on an
    /// error, which is why only maps that no program can see are filled.
    pub(crate) fn fill(&self, keys: &[u8], values: &[u8]) -> Result<(), SysError> {
        let fail = |error| self.fail("filling", "bpf(BPF_MAP_UPDATE_BATCH)", error);
        let entries = keys.len() / self.key_size();
        let fits = keys.len() == entries * self.key_size() && values.len() == entries * self.value_size();
        if !fits || !self.holds_values() {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let mut written = 0;
        while written < entries {
            let (keys, values) = (
                keys.get(written * self.key_size()..).unwrap_or_default(),
                values.get(written * self.value_size()..).unwrap_or_default(),
            );
            let mut attributes = attributes();
            attributes.batch.map_fd = raw(self.as_fd());
            attributes.batch.keys = address(keys);
            attributes.batch.values = address(values);
            attributes.batch.count = u32::try_from(entries - written).unwrap_or(u32::MAX);
            // SAFETY: `keys` and `values` hold `count` whole entries of this map's sizes, as checked above.
            unsafe { call(Command::MapUpdateBatch, &mut attributes) }.map_err(fail)?;
            // SAFETY: the kernel has written the number of entries it took into the same field.
            written += unsafe { attributes.batch.count } as usize;
        }
        Ok(())
    }

    /// Reads all entries, in the kernel's order: keys and values, packed one after the other.
    pub(crate) fn read(&self) -> Result<(Vec<u8>, Vec<u8>), SysError> {
        let fail = |error| self.fail("reading", "bpf(BPF_MAP_LOOKUP_BATCH)", error);
        if !self.holds_values() {
            return Err(fail(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let capacity = self.shape.max_entries as usize;
        let mut keys = vec![0; capacity * self.key_size()];
        let mut values = vec![0; capacity * self.value_size()];
        let mut read = 0;
        // Where the kernel goes on: the size of a key at most, and never less than four bytes.
        let mut place = vec![0_u8; self.key_size().max(8)];
        let mut more = true;
        while more && read < capacity {
            let from = place.clone();
            let mut attributes = attributes();
            attributes.batch.map_fd = raw(self.as_fd());
            attributes.batch.in_batch = if read == 0 { 0 } else { address(from.as_slice()) };
            attributes.batch.out_batch = address(place.as_mut_slice());
            attributes.batch.keys = address(keys.get_mut(read * self.key_size()..).unwrap_or_default());
            attributes.batch.values = address(values.get_mut(read * self.value_size()..).unwrap_or_default());
            attributes.batch.count = u32::try_from(capacity - read).unwrap_or(u32::MAX);
            // SAFETY: the buffers have room for the `capacity - read` entries that may follow, and `place` for
            // any cursor; the map's values are not per CPU, as checked above.
            let answer = unsafe { call(Command::MapLookupBatch, &mut attributes) };
            more = match answer {
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(fail(error)),
            };
            // SAFETY: the kernel has written the number of entries it read into the same field.
            read += unsafe { attributes.batch.count } as usize;
        }
        keys.truncate(read * self.key_size());
        values.truncate(read * self.value_size());
        Ok((keys, values))
    }

    /// Closes the map to writers of user space, for good. Programs never write to the tables.
    pub(crate) fn freeze(&self) -> Result<(), SysError> {
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.as_fd());
        // SAFETY: the attributes hold no address.
        unsafe { call(Command::MapFreeze, &mut attributes) }
            .map_err(|error| self.fail("freezing", "bpf(BPF_MAP_FREEZE)", error))?;
        Ok(())
    }

    fn holds_values(&self) -> bool {
        matches!(self.shape.kind, Kind::Hash | Kind::Array) && self.shape.key_size > 0
    }

    fn key_size(&self) -> usize {
        self.shape.key_size as usize
    }

    fn value_size(&self) -> usize {
        self.shape.value_size as usize
    }
}

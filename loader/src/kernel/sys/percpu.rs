//! Hashes of whose values the kernel keeps one for each CPU: read whole and pruned, never filled.

use std::fs;
use std::io;
use std::os::fd::AsFd;

use aya_obj::generated::BPF_NOEXIST;

use super::map::{Kind, Map};
use super::{Command, SysError, address, attributes, call, gate, raw};

/// Such a hash, and how many values an entry has.
#[derive(Debug)]
pub(crate) struct PerCpuHash {
    map: Map,
    cpus: usize,
}

/// Where the kernel says for which CPUs it keeps values: for those that may ever be plugged in.
const POSSIBLE: &str = "/sys/devices/system/cpu/possible";

/// How many entries are asked for at first. A bucket of the hash with more of them is asked for again.
const CHUNK: usize = 1024;

impl PerCpuHash {
    /// The hash that a map is.
    pub(crate) fn of(map: Map) -> Result<Self, SysError> {
        if map.shape().kind != Kind::PerCpuHash {
            return Err(map.fail("opening", "bpf(BPF_OBJ_GET)", io::ErrorKind::InvalidInput.into()));
        }
        Ok(Self { map, cpus: possible_cpus()? })
    }

    /// Shows every entry: its key, and the values of all CPUs, one after the other.
    pub(crate) fn each(&self, show: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), SysError> {
        let fail = |error| self.map.fail("reading", "bpf(BPF_MAP_LOOKUP_BATCH)", error);
        let (key_size, value_size) = (self.key_size(), self.value_size());
        let mut chunk = CHUNK;
        // Where the kernel goes on: the size of a key at most, and never less than four bytes.
        let mut place = vec![0_u8; key_size.max(8)];
        let mut is_first = true;
        loop {
            let (mut keys, mut values) = (vec![0_u8; chunk * key_size], vec![0_u8; chunk * value_size]);
            let from = place.clone();
            let mut attributes = attributes();
            attributes.batch.map_fd = raw(self.map.as_fd());
            attributes.batch.in_batch = if is_first { 0 } else { address(from.as_slice()) };
            attributes.batch.out_batch = address(place.as_mut_slice());
            attributes.batch.keys = address(keys.as_mut_slice());
            attributes.batch.values = address(values.as_mut_slice());
            attributes.batch.count = u32::try_from(chunk).unwrap_or(u32::MAX);
            // SAFETY: the buffers have room for `chunk` keys and as many values of every possible CPU, each rounded
            // up to eight bytes as the kernel does, and `place` for any cursor.
            let more = match unsafe { call(Command::MapLookupBatch, &mut attributes) } {
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                // A bucket has more entries than there was room for; it is asked for again.
                Err(error) if error.raw_os_error() == Some(libc::ENOSPC) => {
                    chunk *= 2;
                    continue;
                }
                Err(error) => return Err(fail(error)),
            };
            // SAFETY: the kernel has written the number of entries it read into the same field.
            let read = unsafe { attributes.batch.count } as usize;
            let entries = keys.chunks_exact(key_size).zip(values.chunks_exact(value_size));
            entries.take(read).for_each(|(key, values)| show(key, values));
            if !more {
                return Ok(());
            }
            is_first = false;
        }
    }

    /// The values of one entry; `None` where there is none.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, SysError> {
        let fail = |error| self.map.fail("looking into", "bpf(BPF_MAP_LOOKUP_ELEM)", error);
        if key.len() != self.key_size() {
            return Err(fail(io::ErrorKind::InvalidInput.into()));
        }
        let mut values = vec![0_u8; self.value_size()];
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.map.as_fd());
        attributes.__bindgen_anon_2.key = address(key);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(values.as_mut_slice());
        // SAFETY: `key` has the size of this map's keys, and `values` room for a value of every possible CPU.
        match unsafe { call(Command::MapLookupElem, &mut attributes) } {
            Ok(_) => Ok(Some(values)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fail(error)),
        }
    }

    /// Makes an entry of zeros; one that is there stays.
    pub(in crate::kernel) fn make(&self, key: &[u8]) -> Result<(), SysError> {
        let fail = |error| self.map.fail("adding to", "bpf(BPF_MAP_UPDATE_ELEM)", error);
        if key.len() != self.key_size() {
            return Err(fail(io::ErrorKind::InvalidInput.into()));
        }
        let values = vec![0_u8; self.value_size()];
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.map.as_fd());
        attributes.__bindgen_anon_2.key = address(key);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(values.as_slice());
        attributes.__bindgen_anon_2.flags = BPF_NOEXIST.into();
        // SAFETY: `key` has the size of this map's keys, and `values` has a value for every possible CPU.
        match unsafe { call(Command::MapUpdateElem, &mut attributes) } {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(fail(error)),
        }
    }

    /// Removes an entry; one that is missing is none to remove.
    pub(in crate::kernel) fn remove(&self, key: &[u8]) -> Result<(), SysError> {
        let fail = |error| self.map.fail("removing from", "bpf(BPF_MAP_DELETE_ELEM)", error);
        if key.len() != self.key_size() {
            return Err(fail(io::ErrorKind::InvalidInput.into()));
        }
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.map.as_fd());
        attributes.__bindgen_anon_2.key = address(key);
        // SAFETY: `key` has the size of this map's keys, as checked above.
        match unsafe { call(Command::MapDeleteElem, &mut attributes) } {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(fail(error)),
        }
    }

    fn key_size(&self) -> usize {
        self.map.shape().key_size as usize
    }

    /// The bytes of an entry's values, of all CPUs.
    fn value_size(&self) -> usize {
        (self.map.shape().value_size as usize).next_multiple_of(8) * self.cpus
    }
}

/// For how many CPUs the kernel keeps values.
fn possible_cpus() -> Result<usize, SysError> {
    let fail = |error| SysError::new(format!("reading `{POSSIBLE}`"), "read(2)", error);
    let list = gate::enter("read(2)").and_then(|()| fs::read_to_string(POSSIBLE)).map_err(fail)?;
    count(list.trim()).ok_or_else(|| fail(io::ErrorKind::InvalidData.into()))
}

/// How many CPUs a list has: numbers and ranges, separated by commas.
fn count(list: &str) -> Option<usize> {
    let of_range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        (last.checked_sub(first)?).checked_add(1)
    };
    list.split(',').map(of_range).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_counted_as_the_kernel_lists_them() {
        let known = [("0", Some(1)), ("0-127", Some(128)), ("0,2-3,8", Some(4))];
        for (list, cpus) in known {
            assert_eq!(count(list), cpus, "{list}");
        }
        for list in ["", "0-", "3-0", "a", "0,,1", "0-18446744073709551615"] {
            assert_eq!(count(list), None, "{list}");
        }
        assert!(possible_cpus().unwrap() >= 1);
    }
}

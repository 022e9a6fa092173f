//! Arrays of whose elements the kernel keeps one for each CPU: read and cleared, never filled.

use std::fs;
use std::io;
use std::os::fd::AsFd;

use super::map::{Kind, Map};
use super::{Command, SysError, address, attributes, call, gate, raw};

/// Such an array, and how many values an element has.
#[derive(Debug)]
pub(crate) struct PerCpuArray {
    map: Map,
    cpus: usize,
}

/// What bpf(2) says where a kind of map lacks an operation: no error of user space, and without a name in libc.
const ENOTSUPP: i32 = 524;

/// Where the kernel says for which CPUs it keeps values: for those that may ever be plugged in.
const POSSIBLE: &str = "/sys/devices/system/cpu/possible";

impl PerCpuArray {
    /// The array that a map is.
    pub(crate) fn of(map: Map) -> Result<Self, SysError> {
        if map.shape().kind != Kind::PerCpuArray {
            return Err(map.fail("opening", "bpf(BPF_OBJ_GET)", io::ErrorKind::InvalidInput.into()));
        }
        Ok(Self { map, cpus: possible_cpus()? })
    }

    /// The values of one element, of all CPUs, one after the other.
    pub(crate) fn get(&self, index: u32) -> Result<Vec<u8>, SysError> {
        let mut values = vec![0_u8; self.value_size()];
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.map.as_fd());
        attributes.__bindgen_anon_2.key = address(&raw const index);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(values.as_mut_slice());
        // SAFETY: keys of an array have the four bytes of `index`, and `values` has room for a value of every possible
        // CPU, each rounded up to eight bytes as the kernel does.
        unsafe { call(Command::MapLookupElem, &mut attributes) }
            .map_err(|error| self.map.fail("looking into", "bpf(BPF_MAP_LOOKUP_ELEM)", error))?;
        Ok(values)
    }

    /// Shows every element: its index, and the values of all CPUs, one after the other.
    pub(crate) fn each(&self, show: &mut dyn FnMut(u32, &[u8])) -> Result<(), SysError> {
        let most = self.map.shape().max_entries;
        let (mut indices, mut values) =
            (vec![0_u32; most as usize], vec![0_u8; most as usize * self.value_size()]);
        let mut next = 0_u32;
        let mut attributes = attributes();
        attributes.batch.map_fd = raw(self.map.as_fd());
        attributes.batch.out_batch = address(&raw mut next);
        attributes.batch.keys = address(indices.as_mut_slice());
        attributes.batch.values = address(values.as_mut_slice());
        attributes.batch.count = most;
        // SAFETY: the buffers have room for every index and as many values of every possible CPU, each rounded up to
        // eight bytes as the kernel does, and `next` for the cursor of an array.
        match unsafe { call(Command::MapLookupBatch, &mut attributes) } {
            Ok(_) => {}
            // There is nothing behind what was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Kernels before 5.13 read such arrays one by one.
            Err(error) if error.raw_os_error() == Some(ENOTSUPP) => {
                for index in 0..most {
                    show(index, &self.get(index)?);
                }
                return Ok(());
            }
            Err(error) => return Err(self.map.fail("reading", "bpf(BPF_MAP_LOOKUP_BATCH)", error)),
        }
        // SAFETY: the kernel has written the number of entries it read into the same field.
        let read = unsafe { attributes.batch.count } as usize;
        let elements = indices.iter().zip(values.chunks_exact(self.value_size()));
        elements.take(read).for_each(|(index, values)| show(*index, values));
        Ok(())
    }

    /// Makes the values of one element zeros.
    pub(in crate::kernel) fn clear(&self, index: u32) -> Result<(), SysError> {
        let values = vec![0_u8; self.value_size()];
        let mut attributes = attributes();
        attributes.__bindgen_anon_2.map_fd = raw(self.map.as_fd());
        attributes.__bindgen_anon_2.key = address(&raw const index);
        attributes.__bindgen_anon_2.__bindgen_anon_1.value = address(values.as_slice());
        // SAFETY: keys of an array have the four bytes of `index`, and `values` has a value for every possible CPU.
        unsafe { call(Command::MapUpdateElem, &mut attributes) }
            .map_err(|error| self.map.fail("clearing", "bpf(BPF_MAP_UPDATE_ELEM)", error))?;
        Ok(())
    }

    /// The bytes of an element's values, of all CPUs.
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

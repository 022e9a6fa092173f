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

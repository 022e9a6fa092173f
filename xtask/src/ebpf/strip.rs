//! Leaving out DWARF: the loader wants the BTF alone, and DWARF is nine tenths of the object.
//!
//! Done here instead of by a tool of LLVM, so that the bytes do not depend on the version of one.

use object::build::elf::{Builder, SectionData};
use object::elf::SHT_STRTAB;

use crate::repository::{Failure, Result};

/// The object without its `.debug_*` sections and what relocates them.
pub(crate) fn debug_info(object: &[u8]) -> Result<Vec<u8>> {
    let failed = |error: object::build::Error| Failure(format!("stripping the object: {error}"));
    let mut builder = Builder::read(object).map_err(failed)?;
    for section in &mut builder.sections {
        let name = &section.name;
        section.delete = name.starts_with(b".debug_") || name.starts_with(b".rel.debug_");
    }
    builder.delete_orphans();
    // LLVM keeps the names of sections and symbols in one table; the builder writes two.
    if !builder.sections.iter().any(|section| matches!(section.data, SectionData::SectionString)) {
        let names = builder.sections.add();
        names.name = b".shstrtab"[..].into();
        names.sh_type = SHT_STRTAB;
        names.sh_addralign = 1;
        names.data = SectionData::SectionString;
    }
    let mut stripped = Vec::new();
    builder.write(&mut stripped).map_err(failed)?;
    Ok(stripped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &[u8] = include_bytes!("../../../ebpf/object/lrpc.bpf.o");

    fn sections(object: &[u8]) -> Vec<String> {
        let builder = Builder::read(object).unwrap();
        builder.sections.iter().map(|section| section.name.to_string()).collect()
    }

    #[test]
    fn the_committed_object_has_btf_and_no_dwarf() {
        let sections = sections(COMMITTED);
        for wanted in ["cgroup/connect4", "cgroup/getpeername4", ".maps", ".BTF", ".rel.BTF", ".BTF.ext"] {
            assert!(sections.iter().any(|name| name == wanted), "{wanted} in {sections:?}");
        }
        assert!(!sections.iter().any(|name| name.contains("debug")), "{sections:?}");
    }

    #[test]
    fn debug_sections_and_their_relocations_are_left_out() {
        let mut builder = Builder::read(COMMITTED).unwrap();
        let dwarf = builder.sections.add();
        dwarf.name = b".debug_info"[..].into();
        dwarf.sh_type = object::elf::SHT_PROGBITS;
        dwarf.data = SectionData::Data(b"dwarf"[..].into());
        let mut with_dwarf = Vec::new();
        builder.write(&mut with_dwarf).unwrap();
        assert!(sections(&with_dwarf).contains(&".debug_info".to_owned()));
        assert!(!sections(&debug_info(&with_dwarf).unwrap()).contains(&".debug_info".to_owned()));
    }
}

//! Recover: whatever a loader that died has left becomes the old set, whole, or the new one.
//!
//! The cell decides. A staged generation that it names was published, and only its rename is missing; any
//! other was never visible and goes. A slot without a resident generation is emptied, unless the cell names
//! it. Where the cell says nothing, nothing of ours is in use, and all of it goes. A failed apply runs this
//! too, so there is one way back, and every run of it is the test of the other.

use super::{Error, Loaded};
use crate::kernel::hooks::{HOOKS, Programs, program_of};
use crate::kernel::instance::Lock;
use crate::kernel::object::pinned;
use crate::kernel::pins::{self, Pins};
use crate::kernel::sys::SysError;
use crate::kernel::sys::link::CgroupLink;

/// Brings what is pinned in order, and reads it.
pub(crate) fn recover(lock: &Lock, pins: &Pins) -> Result<Option<Loaded>, Error> {
    let versions = pins.other_versions()?;
    if !versions.is_empty() {
        return Err(Error::OtherVersion { bpffs: pins.root().to_owned(), versions: versions.join(", ") });
    }
    let Some(loaded) = Loaded::read(pins)? else {
        wipe(lock, pins)?;
        return Ok(None);
    };
    if let Some(active) = loaded.active()
        && active.directory == pins.staged(loaded.active)
    {
        pins::rename(&active.directory, &pins.resident(loaded.active))?;
    }
    let orphans = orphans(&loaded.shared.occupants()?, &slots(&loaded), loaded.slot);
    if !orphans.is_empty() {
        loaded.shared.clear(&orphans)?;
    }
    pins::remove(&pins.staging())?;
    pins::make(&pins.staging())?;
    for generation in pins::numbers(&pins.generations())? {
        if generation != loaded.active && !loaded.resident.contains_key(&generation) {
            pins::remove(&pins.resident(generation))?;
        }
    }
    settle_programs(pins)?;
    Loaded::read(pins)
}

fn slots(loaded: &Loaded) -> Vec<u16> {
    loaded.resident.values().map(|resident| resident.slot).collect()
}

/// The slots with something in them that belongs to no resident generation. The active slot is none, also
/// where its maps are not pinned: packets are served from it.
fn orphans(occupants: &[Vec<Option<u32>>], resident: &[u16], active: u16) -> Vec<u16> {
    (0_u16..)
        .zip(occupants)
        .filter(|(slot, tables)| {
            *slot != active && !resident.contains(slot) && tables.iter().any(Option::is_some)
        })
        .map(|(slot, _)| slot)
        .collect()
}

/// Leaves the programs of one version. Hooks are replaced in order, so where links disagree the last one
/// still has the old version, and the others go back to it.
pub(crate) fn settle_programs(pins: &Pins) -> Result<(), SysError> {
    let mut attached = Vec::new();
    for hook in HOOKS {
        if let Some(link) = CgroupLink::open(&pins.link(hook.name))?
            && let Some((version, program)) = program_of(pins, hook, link.program())?
        {
            attached.push((hook, link, version, program));
        }
    }
    let Some(settled) = attached.last().map(|(.., version, _)| version.clone()) else {
        return Ok(());
    };
    let Some(programs): Option<Programs> = pinned(pins, &settled)? else {
        return Ok(());
    };
    for (hook, link, version, program) in &attached {
        if *version != settled
            && let Some(old) = programs.get(hook.name)
        {
            link.replace(program, old)?;
        }
    }
    for version in pins::names(&pins.programs())? {
        if version != settled {
            pins::remove(&pins.programs().join(version))?;
        }
    }
    Ok(())
}

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    /// Links to cgroups.
    pub links: usize,
    /// Pinned maps.
    pub maps: usize,
}

/// Detaches and unpins everything of ours, in every version; the directory itself stays. The hooks go first,
/// then what they look at.
pub(crate) fn wipe(_lock: &Lock, pins: &Pins) -> Result<Removed, SysError> {
    let mut removed = Removed::default();
    for name in pins::names(&pins.links())? {
        let path = pins.link(&name);
        if let Some(link) = CgroupLink::open(&path)?
            && link.cgroup() != 0
        {
            link.detach()?;
        }
        removed.links += pins::remove(&path)?;
    }
    pins::remove(&pins.links())?;
    pins::remove(&pins.programs())?;
    let mut directories = vec![pins.tables(), pins.state()];
    directories.extend(pins.other_versions()?.into_iter().map(|version| pins.root().join(version)));
    for directory in directories {
        removed.maps += pins::remove(&directory)?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::orphans;

    #[test]
    fn a_slot_goes_unless_it_is_resident_or_active() {
        let full = vec![Some(1), Some(2), Some(3)];
        let half = vec![Some(4), None, None];
        let empty = vec![None, None, None];
        let occupants = [full.clone(), full.clone(), half, empty, full];
        assert_eq!(orphans(&occupants, &[1], 0), [2, 4]);
        assert_eq!(orphans(&occupants, &[1, 2, 4], 0), [] as [u16; 0]);
    }
}

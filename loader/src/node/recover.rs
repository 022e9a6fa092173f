//! Recover: whatever a loader that died has left becomes the old set, whole, or the new one.
//!
//! The cell decides. A staged generation that it names was published, and only its rename is missing; any
//! other was never visible and goes. A slot without a resident or surplus generation is emptied, unless the
//! cell names it. Where the cell says nothing, nothing of ours is in use, and all of it goes. A failed command
//! runs this too, so there is one way back, and every run of it is the test of the other.
//!
//! INVARIANT: nothing that packets are served from is removed. Where programs act by maps that are not pinned
//! any more, nothing at all is.

use lrpc_schema::records::{Hook, Slot};

use super::Error;
use super::loaded::Found;
use crate::kernel::hooks::{Programs, program_of};
use crate::kernel::object::pinned;
use crate::kernel::pins::{Folder, PinError, PinnedLink};
use crate::kernel::watch::quiet;
use crate::kernel::writer::Writer;

/// Brings what was found in order, and reads what is there then.
pub(crate) fn recover(writer: &Writer, found: Found) -> Result<Found, Error> {
    let versions = writer.other_versions()?;
    if !versions.is_empty() {
        return Err(Error::OtherVersion { bpffs: writer.path(), versions: versions.join(", ") });
    }
    let mut loaded = match found {
        Found::Nothing => {
            for hook in Hook::ALL.into_iter().rev() {
                detach(writer, hook)?;
            }
            unpin(writer, &mut Removed::default())?;
            return Ok(Found::Nothing);
        }
        Found::Orphaned(map) => return Ok(Found::Orphaned(map)),
        Found::Loaded(loaded) => loaded,
    };
    if let Some(active) = loaded.active()
        && active.folder == Folder::Staged(loaded.active)
    {
        writer.rename(&active.folder, &Folder::Resident(loaded.active))?;
    }
    loaded.order.settle(writer, loaded.active)?;
    quiet(writer, &loaded.shared)?;
    let orphans = orphans(&loaded.shared.occupants()?, &loaded.slots());
    if !orphans.is_empty() {
        loaded.shared.clear(writer, &orphans)?;
    }
    writer.remove(&Folder::Staging)?;
    for folder in [Folder::Staging, Folder::Generations, Folder::Surplus, Folder::Order] {
        writer.make(&folder)?;
    }
    for generation in writer.numbers(&Folder::Generations)? {
        if generation != loaded.active && !loaded.resident.contains_key(&generation) {
            writer.remove(&Folder::Resident(generation))?;
        }
    }
    settle_programs(writer)?;
    Found::read(writer)
}

/// The slots with something in them that belongs to no generation. The active slot is none, also where its
/// maps are not pinned: packets are served from it.
fn orphans(occupants: &[Vec<Option<u32>>], owned: &[Slot]) -> Vec<Slot> {
    let slots = (0_u16..).map(Slot::new).zip(occupants);
    let orphan = |(slot, tables): &(Slot, &Vec<Option<u32>>)| {
        !owned.contains(slot) && tables.iter().any(Option::is_some)
    };
    slots.filter(orphan).map(|(slot, _)| slot).collect()
}

/// Leaves the programs of one version. Hooks are replaced in order, so where links disagree the last one
/// still has the old version, and the others go back to it.
pub(crate) fn settle_programs(writer: &Writer) -> Result<(), Error> {
    let mut attached = Vec::new();
    for hook in Hook::ALL {
        if let PinnedLink::Link(link) = writer.link(hook)?
            && let Some((version, program)) = program_of(writer, hook, link.program())?
        {
            attached.push((hook, link, version, program));
        }
    }
    let Some(settled) = attached.last().map(|(.., version, _)| version.clone()) else {
        return Ok(());
    };
    let Some(programs): Option<Programs> = pinned(writer, &settled)? else {
        return Ok(());
    };
    for (hook, link, version, program) in &attached {
        if *version != settled
            && let Some(old) = programs.get(hook)
        {
            writer.replace(link, program, old)?;
        }
    }
    for version in writer.versions()? {
        if version != settled {
            writer.remove(&Folder::Version(version))?;
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

/// Takes what is pinned under a hook's name off its cgroup, if it is of ours, and unpins it; returns how many
/// links there were. A link with a program of others is unpinned, and stays attached for whoever else holds
/// it.
pub(crate) fn detach(writer: &Writer, hook: Hook) -> Result<usize, PinError> {
    match writer.link(hook)? {
        PinnedLink::Missing => return Ok(0),
        PinnedLink::Link(link) => {
            if link.cgroup() != 0 && program_of(writer, hook, link.program())?.is_some() {
                writer.detach(&link)?;
            }
        }
        PinnedLink::Foreign | PinnedLink::Unreadable => {}
    }
    Ok(writer.unpin(&Folder::Links, hook.name())?)
}

/// Unpins everything of ours, in every version. What else lies in the directory stays, and the directory
/// itself: it is what loaders lock.
pub(crate) fn unpin(writer: &Writer, removed: &mut Removed) -> Result<(), Error> {
    for version in writer.versions()? {
        writer.remove(&Folder::Version(version))?;
    }
    for folder in [Folder::Tables, Folder::Sockets] {
        removed.maps += writer.remove(&folder)?;
    }
    for version in writer.other_versions()? {
        removed.maps += writer.remove_version(&version)?;
    }
    for folder in [Folder::Links, Folder::Programs] {
        writer.remove_if_empty(&folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_goes_unless_it_is_somebodys() {
        let full = vec![Some(1), Some(2), Some(3)];
        let half = vec![Some(4), None, None];
        let empty = vec![None, None, None];
        let occupants = [full.clone(), full.clone(), half, empty, full];
        let slots = |slots: &[u16]| slots.iter().copied().map(Slot::new).collect::<Vec<_>>();
        assert_eq!(orphans(&occupants, &slots(&[0, 1])), slots(&[2, 4]));
        assert_eq!(orphans(&occupants, &slots(&[0, 1, 2, 4])), []);
    }
}

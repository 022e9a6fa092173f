//! The section of the places: checked with the image, and read when the first place is asked for.

use crate::image::layout::PLACE_SIZE;
use crate::image::policy::{Policy, PolicyName};
use crate::image::wire::{Read, Reader, Unreadable};
use crate::image::{FieldId, FilePlaces, Places, Stretch};

/// The places in a section that [`check`] has let pass; none in bytes that it has not.
/// Names are shared with the policies.
pub(in crate::image) fn places(section: &[u8], policies: &[Policy]) -> Option<Places> {
    read(&mut Reader::new(section), policies).ok()
}

fn words(place: &[u8; PLACE_SIZE]) -> [u32; 6] {
    let mut numbers = [0; 6];
    for (number, word) in numbers.iter_mut().zip(place.as_chunks().0) {
        *number = u32::from_le_bytes(*word);
    }
    numbers
}

/// Checks what [`places`] reads, and keeps none of it: most readers of an image ask for few
/// places or for none.
pub(super) fn check(input: &mut Reader<'_>) -> Read<()> {
    let files = check_names(input)?;
    let paths = check_names(input)?;
    let mut before = None;
    for _ in 0..input.u32()? {
        let policy = (input.str()?, input.str()?);
        if before.replace(policy).is_some_and(|before| before >= policy) {
            return Err(Unreadable("the places are not in order"));
        }
        let (mut its_file, mut before) = (None, None);
        let count = input.u32()? as usize;
        let (fields, _) = input.take(count.saturating_mul(PLACE_SIZE))?.as_chunks::<PLACE_SIZE>();
        for field in fields {
            let [path, file, ..] = words(field);
            if path >= paths || file >= files {
                return Err(Unreadable("a place has no field or no file"));
            }
            if *its_file.get_or_insert(file) != file {
                return Err(Unreadable("a policy stands in two files"));
            }
            if before.replace(path).is_some_and(|before| before > path) {
                return Err(Unreadable("the places are not in order"));
            }
        }
    }
    Ok(())
}

/// Reads a sorted list of texts for its length alone.
fn check_names(input: &mut Reader<'_>) -> Read<u32> {
    let count = input.u32()?;
    let mut before = None;
    for _ in 0..count {
        let name = input.str()?;
        if before.replace(name).is_some_and(|before| before >= name) {
            return Err(Unreadable("the places are not in order"));
        }
    }
    Ok(count)
}

/// Reads what [`check`] has checked.
fn read(input: &mut Reader<'_>, policies: &[Policy]) -> Read<Places> {
    let mut files = input.list(|input| input.str().map(|name| FilePlaces::new(name.into())))?;
    let paths = input.list(|input| input.str().map(Into::into))?;
    let mut written = Vec::new();
    let mut names = policies.iter().map(|policy| &policy.name);
    for _ in 0..input.u32()? {
        let (namespace, name) = (input.str()?, input.str()?);
        let same = names.find(|policy| &*policy.namespace == namespace && &*policy.name == name);
        let policy =
            same.cloned().unwrap_or_else(|| PolicyName { namespace: namespace.into(), name: name.into() });
        let mut its_file = None;
        for _ in 0..input.u32()? {
            let [field, file, line, column, end_line, end_column] = words(&input.array()?);
            its_file = Some(file as usize);
            if let Some(file) = files.get_mut(file as usize) {
                file.push(FieldId::new(field), Stretch { line, column, end_line, end_column });
            }
        }
        if let Some(file) = its_file {
            let number = files.get_mut(file).map(FilePlaces::end_policy);
            written.extend(number.map(|number| (policy, file, number)));
        }
    }
    Ok(Places::numbered(paths, files, written))
}

//! The bytes of one generation's tables, and the resolved digest over them.
//!
//! It knows no kernel: [`Packed`] is what a batch call takes and gives, whichever way it goes, so the digest
//! of what was to be written and the digest of what was read back are one function.

use lrpc_schema::image::Digest;
use lrpc_schema::records::filter::{Mark, words as filter_words};
use lrpc_schema::records::{Backend, FrontendKey, FrontendValue, MEMBER, MemberKey, Meta, Table};

/// Keeps a resolved digest apart from every other blake3 digest over equal bytes. A change of the encoding
/// changes its version.
const CONTEXT: &str = "lrpc resolved tables v2";

/// The tables of one generation, apart from the loader's own part of `meta`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The frontend table, sorted by key; [test rows](crate::probe) are among them.
    pub frontends: Vec<(FrontendKey, FrontendValue)>,
    /// The backend table: the runs of the frontends with several backends.
    pub backends: Vec<Backend>,
    /// The sets of pods, sorted by key.
    pub members: Vec<MemberKey>,
    /// The programs' part of `meta`.
    pub meta: Meta,
}

impl Tables {
    /// The entries of every table; of `meta` only the programs' part.
    pub fn pack(&self) -> [(Table, Packed); Table::ALL.len()] {
        Table::ALL.map(|table| (table, self.packed(table)))
    }

    /// How many entries a table has.
    pub fn entries(&self, table: Table) -> usize {
        match table {
            Table::Frontends => self.frontends.len(),
            Table::Backends => self.backends.len().max(1),
            Table::Members => self.members.len(),
            Table::Filter => filter_words(self.frontends.len()) + 1,
            Table::Meta => 1,
        }
    }

    /// The entries of a table; of `meta` only the programs' part.
    pub fn packed(&self, table: Table) -> Packed {
        match table {
            Table::Frontends => Packed {
                key_size: FrontendKey::SIZE,
                value_size: FrontendValue::SIZE,
                keys: concatenated(self.frontends.iter().map(|(key, _)| key.to_bytes())),
                values: concatenated(self.frontends.iter().map(|(_, value)| value.to_bytes())),
            },
            // An array has at least one element; it is zero where no frontend has several backends.
            Table::Backends if self.backends.is_empty() => {
                Packed::array(Backend::SIZE, vec![0; Backend::SIZE])
            }
            Table::Backends => {
                Packed::array(Backend::SIZE, concatenated(self.backends.iter().map(Backend::to_bytes)))
            }
            Table::Members => Packed {
                key_size: MemberKey::SIZE,
                value_size: size_of_val(&MEMBER),
                keys: concatenated(self.members.iter().map(MemberKey::to_bytes)),
                values: MEMBER.to_ne_bytes().repeat(self.members.len()),
            },
            Table::Filter => {
                let words = self.filter();
                Packed::array(8, concatenated(words.into_iter().map(u64::to_ne_bytes)))
            }
            Table::Meta => Packed::array(Meta::SIZE, self.meta.to_bytes().to_vec()),
        }
    }
}

impl Tables {
    /// The filter over the frontends: how many words there are, and the words.
    fn filter(&self) -> Vec<u64> {
        let count = filter_words(self.frontends.len());
        let mut words = vec![0; count + 1];
        let count = count as u64;
        for (key, _) in &self.frontends {
            let mark = Mark::of(key);
            if let Some(word) = words.get_mut(mark.index(count) as usize) {
                *word |= mark.bits();
            }
        }
        if let Some(first) = words.first_mut() {
            *first = count;
        }
        words
    }
}

/// The entries of one table among those of several.
pub(crate) fn entries_of(tables: &[(Table, Packed)], wanted: Table) -> Option<&Packed> {
    tables.iter().find(|(table, _)| *table == wanted).map(|(_, packed)| packed)
}

/// Records one after the other.
fn concatenated<const SIZE: usize>(records: impl ExactSizeIterator<Item = [u8; SIZE]>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * SIZE);
    for record in records {
        bytes.extend_from_slice(&record);
    }
    bytes
}

/// Entries of a map, keys and values packed one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Size of one key in bytes; at most 24.
    pub key_size: usize,
    /// Size of one value in bytes.
    pub value_size: usize,
    /// The keys.
    pub keys: Vec<u8>,
    /// The values, in the order of the keys.
    pub values: Vec<u8>,
}

impl Packed {
    /// The entries of an array whose elements are `values`.
    fn array(value_size: usize, values: Vec<u8>) -> Self {
        let count = u32::try_from(values.len() / value_size).unwrap_or(u32::MAX);
        Self { key_size: 4, value_size, keys: (0..count).flat_map(u32::to_ne_bytes).collect(), values }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.keys.len() / self.key_size.max(1)
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Every value cut to its first `size` bytes: of `meta` only the programs' part is hashed.
    #[must_use]
    pub fn cut(self, size: usize) -> Self {
        let values =
            self.values.chunks(self.value_size.max(1)).flat_map(|value| value.iter().take(size)).copied();
        Self { value_size: size.min(self.value_size), values: values.collect(), ..self }
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.keys.chunks_exact(self.key_size.max(1)).zip(self.values.chunks_exact(self.value_size.max(1)))
    }

    /// The numbers of the entries in the order of their keys. Keys are compared as three big-endian words,
    /// which is a quarter of the time that comparing slices takes.
    fn order(&self) -> Vec<usize> {
        let keys = self.keys.chunks_exact(self.key_size.max(1)).map(words);
        if keys.clone().is_sorted() {
            return (0..self.len()).collect();
        }
        let mut order: Vec<_> = keys.zip(0_usize..).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, number)| number).collect()
    }

    fn entry(&self, number: usize) -> (&[u8], &[u8]) {
        let part = |bytes: &'_ [u8], size: usize| {
            (number * size).min(bytes.len())..((number + 1) * size).min(bytes.len())
        };
        let key = self.keys.get(part(&self.keys, self.key_size)).unwrap_or_default();
        (key, self.values.get(part(&self.values, self.value_size)).unwrap_or_default())
    }
}

fn words(key: &[u8]) -> [u64; 3] {
    let mut words = [0; 3];
    for (word, bytes) in words.iter_mut().zip(key.chunks(8)) {
        let mut whole = [0; 8];
        for (place, byte) in whole.iter_mut().zip(bytes) {
            *place = *byte;
        }
        *word = u64::from_be_bytes(whole);
    }
    words
}

/// The resolved digest: for each table its name, a zero, the number of entries (8 bytes, little-endian) and
/// its entries sorted by key, each as key and value. Key and value sizes are fixed by the ABI version.
pub fn digest(tables: &[(Table, Packed)]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    let mut buffer = Vec::new();
    for (name, entries) in tables {
        hasher.update(name.name().as_bytes());
        hasher.update(&[0]);
        hasher.update(&(entries.len() as u64).to_le_bytes());
        // One call per table: blake3 is several times faster over long input.
        buffer.clear();
        buffer.reserve(entries.keys.len() + entries.values.len());
        for (key, value) in entries.order().into_iter().map(|number| entries.entry(number)) {
            buffer.extend_from_slice(key);
            buffer.extend_from_slice(value);
        }
        hasher.update(&buffer);
    }
    Digest::new(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use lrpc_schema::image::Protocol;
    use lrpc_schema::records::{META_SIZE, SetId};

    use super::*;

    fn tables() -> Tables {
        let backend = Backend::new([10, 0, 0, 1].into(), 80);
        let entry = |last: u8| {
            let key = FrontendKey::new([169, 254, 169, last].into(), 8080, Protocol::Tcp);
            (key, FrontendValue::redirect(1, 0, backend))
        };
        Tables {
            frontends: vec![entry(1), entry(2), entry(3)],
            backends: vec![backend],
            members: vec![MemberKey::new(7, SetId::new(1))],
            meta: Meta::default(),
        }
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_in_which_the_kernel_lists() {
        let tables = tables();
        let mut packed = tables.pack();
        let turned: Vec<_> = tables.frontends.iter().rev().collect();
        packed[0].1.keys = turned.iter().flat_map(|(key, _)| key.to_bytes()).collect();
        packed[0].1.values = turned.iter().flat_map(|(_, value)| value.to_bytes()).collect();
        assert_eq!(digest(&packed), digest(&tables.pack()));
    }

    #[test]
    fn every_bit_counts_but_not_the_loaders_part_of_meta() {
        let tables = tables();
        let mut packed = tables.pack();
        let meta = &mut packed[4].1;
        meta.values.resize(META_SIZE, 7);
        meta.value_size = META_SIZE;
        packed[4].1 = packed[4].1.clone().cut(Meta::SIZE);
        assert_eq!(digest(&packed), digest(&tables.pack()));
        for table in 0..packed.len() {
            for byte in 0..packed[table].1.values.len() {
                let mut other = packed.clone();
                other[table].1.values[byte] ^= 1;
                assert_ne!(digest(&other), digest(&tables.pack()), "table {table}, byte {byte}");
            }
        }
    }
}

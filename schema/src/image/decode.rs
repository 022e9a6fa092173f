//! Bytes to policies. Nothing is believed before the checksum fits, and nothing is accepted that
//! [`super::encode`] would have written otherwise.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;

use super::layout::{
    ALLOWED_ADDRESSES, ALLOWED_WARNINGS, CHECKSUM_SIZE, FORMAT, FORMAT_AT, HEADER_SIZE, LENGTH_AT, MAGIC,
    PLACES, POLICIES, RESERVED_AT, SECTION_COUNT_AT, SECTION_ROW_SIZE, SEMANTIC, SIGNATURE,
};
use super::policy::{Backend, Clients, Fallback, Matcher, Policy, PolicyName, Port, PortSpec};
use super::{
    AgentAddress, AllowedWarning, FieldId, FilePlaces, FrontendAddress, Image, Operator, Places, Requirement,
    Selector, Stretch, canonical, encode, rules,
};
use crate::protocol::Protocol;

/// Why bytes are not an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The magic number is missing.
    #[error("not an lrpc image (it does not begin with the image's magic number)")]
    NotAnImage,
    /// A later lrpc wrote it.
    #[error("the image has format {found}; this lrpc reads formats up to {FORMAT}")]
    NewerFormat {
        /// The format in the header.
        found: u32,
    },
    /// The header's length and the number of bytes differ.
    #[error("the image should be {expected} bytes long and is {found}")]
    Length {
        /// The length that the header gives, at least that of an empty image.
        expected: u64,
        /// The number of bytes.
        found: u64,
    },
    /// At least one bit is not what was written.
    #[error("the image is damaged: its checksum does not fit its bytes")]
    Checksum,
    /// A later lrpc added meaning that must not be ignored.
    #[error("the image has a section {id} that changes what policies mean and that this lrpc does not know")]
    UnknownSection {
        /// The section's number.
        id: u32,
    },
    /// The checksum fits, but no encoder writes this.
    #[error("the image is malformed: {what}")]
    Malformed {
        /// The part that is wrong.
        what: &'static str,
    },
}

pub(super) fn decode(bytes: Vec<u8>) -> Result<Image, DecodeError> {
    let header = Header::read(&bytes)?;
    let sections = header.sections(&bytes)?;

    let mut policies = None;
    let mut allowed = None;
    let mut places = None;
    let mut allowed_warnings = Vec::new();
    for section in &sections {
        section.check_flags()?;
        let mut input = Reader(section.bytes);
        match section.id {
            POLICIES => policies = Some(input.policies()?),
            ALLOWED_ADDRESSES => allowed = Some(input.option(|input| input.list(Reader::net))?),
            PLACES => {
                input.check_places()?;
                places = Some(section.range.clone());
            }
            ALLOWED_WARNINGS => allowed_warnings = input.allowed_warnings()?,
            SIGNATURE => continue,
            _ if section.is_semantic() => return Err(DecodeError::UnknownSection { id: section.id }),
            _ => continue,
        }
        input.end()?;
    }
    let (Some(policies), Some(allowed)) = (policies, allowed) else {
        return Err(malformed("a section is missing"));
    };
    if allowed.as_ref().is_some_and(|list| *list != canonical(list)) {
        return Err(malformed("the allowed addresses are not in canonical form"));
    }
    let semantic = sections.iter().filter(|section| section.is_semantic());
    let digest = encode::digest(semantic.map(|section| (section.id, section.bytes)));
    Ok(Image {
        policies: Arc::new(policies),
        allowed_addresses: allowed,
        places: OnceLock::new(),
        places_at: places,
        allowed_warnings,
        digest,
        bytes,
    })
}

/// The places in a section that [`decode`] has checked; none in bytes that it has not.
/// Names are shared with the policies.
pub(super) fn places(section: &[u8], policies: &[Policy]) -> Option<Places> {
    Reader(section).places(policies).ok()
}

fn malformed(what: &'static str) -> DecodeError {
    DecodeError::Malformed { what }
}

struct Header {
    section_count: usize,
}

struct Section<'a> {
    id: u32,
    flags: u32,
    /// Where it stands in the image.
    range: Range<usize>,
    bytes: &'a [u8],
}

impl Section<'_> {
    fn is_semantic(&self) -> bool {
        self.flags & SEMANTIC != 0
    }

    /// A section that this version knows has the flags that this version writes: cleared ones would take
    /// its meaning out of the digest. What other flags of unknown sections mean is for later versions to
    /// say.
    fn check_flags(&self) -> Result<(), DecodeError> {
        let expected = match self.id {
            POLICIES | ALLOWED_ADDRESSES => SEMANTIC,
            PLACES | SIGNATURE | ALLOWED_WARNINGS => 0,
            _ => return Ok(()),
        };
        if self.flags == expected {
            Ok(())
        } else {
            Err(malformed("a section has flags that are not its own"))
        }
    }
}

impl Header {
    /// Checks magic, format, length and checksum, in this order, so that the message names the first cause.
    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(DecodeError::NotAnImage);
        }
        let found = bytes.len() as u64;
        let too_short = DecodeError::Length { expected: (HEADER_SIZE + CHECKSUM_SIZE) as u64, found };
        let format = Reader::at(bytes, FORMAT_AT).u32().map_err(|_| too_short.clone())?;
        if format > FORMAT {
            return Err(DecodeError::NewerFormat { found: format });
        }
        let expected = Reader::at(bytes, LENGTH_AT).u64().map_err(|_| too_short.clone())?;
        let section_count = Reader::at(bytes, SECTION_COUNT_AT).u32().map_err(|_| too_short.clone())?;
        if bytes.len() < HEADER_SIZE + CHECKSUM_SIZE {
            return Err(too_short);
        }
        if expected != found {
            return Err(DecodeError::Length { expected, found });
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_SIZE);
        if blake3::hash(content).as_bytes() != checksum {
            return Err(DecodeError::Checksum);
        }
        if Reader::at(bytes, RESERVED_AT).u64() != Ok(0) {
            return Err(malformed("the reserved bytes are not zero"));
        }
        if format == 0 {
            return Err(malformed("there is no format 0"));
        }
        Ok(Self { section_count: section_count as usize })
    }

    /// The sections, which follow their table without gaps and in ascending order of id.
    fn sections<'a>(&self, bytes: &'a [u8]) -> Result<Vec<Section<'a>>, DecodeError> {
        let mut table = Reader::at(bytes, HEADER_SIZE);
        let end = (bytes.len() - CHECKSUM_SIZE) as u64;
        let table_size = (self.section_count as u64).saturating_mul(SECTION_ROW_SIZE as u64);
        let mut next = table_size.saturating_add(HEADER_SIZE as u64);
        if next > end {
            return Err(malformed("the section table is longer than the image"));
        }
        let mut sections = Vec::<Section<'a>>::new();
        for _ in 0..self.section_count {
            let (id, flags) = (table.u32()?, table.u32()?);
            let (offset, length) = (table.u64()?, table.u64()?);
            if sections.last().is_some_and(|last| last.id >= id) || offset != next {
                return Err(malformed("the sections are not in order"));
            }
            next = offset.saturating_add(length);
            let ends = usize::try_from(offset).ok().zip(usize::try_from(next).ok()).filter(|_| next <= end);
            let range = ends.map(|(from, to)| from..to).unwrap_or_default();
            let section = ends.and(bytes.get(range.clone()));
            let bytes = section.ok_or(malformed("a section is longer than the image"))?;
            sections.push(Section { id, flags, range, bytes });
        }
        if next != end {
            return Err(malformed("bytes belong to no section"));
        }
        Ok(sections)
    }
}

/// What one place takes: field, file, and its four numbers.
const PLACE_SIZE: usize = 6 * size_of::<u32>();

fn words(place: &[u8; PLACE_SIZE]) -> [u32; 6] {
    let mut numbers = [0; 6];
    for (number, word) in numbers.iter_mut().zip(place.as_chunks().0) {
        *number = u32::from_le_bytes(*word);
    }
    numbers
}

struct Reader<'a>(&'a [u8]);

type Read<T> = Result<T, DecodeError>;

impl<'a> Reader<'a> {
    fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self(bytes.get(offset..).unwrap_or_default())
    }

    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(malformed("a section ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn end(&self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err(malformed("a section has bytes after its end")) }
    }

    fn u8(&mut self) -> Read<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn allowed_warnings(&mut self) -> Read<Vec<AllowedWarning>> {
        let allowed = self.list(|input| {
            Ok(AllowedWarning { file: input.str()?.into(), line: input.u32()?, code: input.text()? })
        })?;
        if allowed.is_empty() || !allowed.is_sorted_by(|one, other| one < other) {
            return Err(malformed("the allowed warnings are not in order"));
        }
        Ok(allowed)
    }

    fn u64(&mut self) -> Read<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bool(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(malformed("a truth value is neither 0 nor 1")),
        }
    }

    fn str(&mut self) -> Read<&'a str> {
        let length = self.u32()? as usize;
        str::from_utf8(self.take(length)?).map_err(|_| malformed("a text is not UTF-8"))
    }

    fn text(&mut self) -> Read<String> {
        self.str().map(ToOwned::to_owned)
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A list grows as it is read: the count alone reserves nothing, since it may lie.
    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.u32()? {
            list.push(read(self)?);
        }
        Ok(list)
    }

    fn ip(&mut self) -> Read<IpAddr> {
        match self.u8()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => Err(malformed("an address is neither IPv4 nor IPv6")),
        }
    }

    fn net(&mut self) -> Read<IpNet> {
        let ip = self.ip()?;
        IpNet::new(ip, self.u8()?).map_err(|_| malformed("a prefix is longer than its address"))
    }

    fn port(&mut self) -> Read<PortSpec> {
        let port = Port::new(self.u16()?).ok_or(malformed("a port is 0"))?;
        let protocol = Protocol::from_number(self.u8()?).ok_or(malformed("a protocol is unknown"))?;
        Ok(PortSpec { port, protocol, name: self.option(Self::text)? })
    }

    fn requirement(&mut self) -> Read<Requirement> {
        let key = self.text()?;
        let operator = match self.u8()? {
            0 => Operator::In,
            1 => Operator::NotIn,
            2 => Operator::Exists,
            3 => Operator::DoesNotExist,
            _ => return Err(malformed("a selector's operator is unknown")),
        };
        Requirement::new(key, operator, self.list(Self::text)?)
            .map_err(|_| malformed("a selector has a requirement that is none"))
    }

    fn selector(&mut self) -> Read<Selector> {
        self.list(Self::requirement).map(Selector::new)
    }

    fn matcher(&mut self) -> Read<Matcher> {
        let matcher = match self.u8()? {
            0 => {
                let ip = FrontendAddress::new(self.ip()?);
                let ip = ip.map_err(|_| malformed("a frontend address is not one"))?;
                Matcher::Address { ip, ports: self.list(Self::port)? }
            }
            1 => Matcher::Service { name: self.text()?, ports: self.list(Self::port)? },
            _ => return Err(malformed("a matcher is unknown")),
        };
        Ok(matcher)
    }

    /// The policies in ascending order, each as it is written and in no other way.
    fn policies(&mut self) -> Read<Vec<Policy>> {
        let mut policies = Vec::<Policy>::new();
        let mut rewritten = Vec::new();
        for _ in 0..self.u32()? {
            let from = self.0;
            let before = policies.last().map(|policy| &policy.name);
            let policy = self.policy(before)?;
            if before.is_some_and(|before| *before >= policy.name) {
                return Err(malformed("the policies are not in order"));
            }
            rewritten.clear();
            encode::policy(&policy, &mut rewritten);
            if from.get(..from.len() - self.0.len()) != Some(&*rewritten) {
                return Err(malformed("the policies are not in canonical form"));
            }
            policies.push(policy);
        }
        Ok(policies)
    }

    /// Neighbours mostly share their namespace, which is then kept once.
    fn policy(&mut self, before: Option<&PolicyName>) -> Read<Policy> {
        let namespace = self.str()?;
        let shared = before.map(|before| &before.namespace).filter(|shared| ***shared == *namespace);
        let namespace = shared.map_or_else(|| namespace.into(), Arc::clone);
        let name = PolicyName { namespace, name: self.str()?.into() };
        let frontend = self.matcher()?;
        let selector = self.selector()?;
        let ports = self.list(Self::port)?;
        let address = self.option(Self::ip)?.map(AgentAddress::new).transpose();
        let address = address.map_err(|_| malformed("a backend address is not one"))?;
        let backend = Backend { selector, ports, address };
        let skip = self.bool()?;
        let fallback = if self.bool()? { Fallback::Drop } else { Fallback::Original };
        let clients = match self.u8()? {
            0 => Clients::All,
            1 => Clients::Pods,
            2 => Clients::Namespace,
            3 => Clients::Selector(self.selector()?),
            4 => Clients::AllPods,
            _ => return Err(malformed("a policy's clients are unknown")),
        };
        let nodes = self.option(Self::selector)?;
        let shadow_service = self.bool()?;
        let policy = Policy { name, frontend, backend, skip, fallback, clients, nodes, shadow_service };
        rules::check(&policy).map_err(malformed)?;
        Ok(policy)
    }

    /// Checks what [`places`](Self::places) reads, and keeps none of it: most readers of an image ask for few
    /// places or for none.
    fn check_places(&mut self) -> Read<()> {
        let files = self.check_names()?;
        let paths = self.check_names()?;
        let mut before = None;
        for _ in 0..self.u32()? {
            let policy = (self.str()?, self.str()?);
            if before.replace(policy).is_some_and(|before| before >= policy) {
                return Err(malformed("the places are not in order"));
            }
            let (mut its_file, mut before) = (None, None);
            let count = self.u32()? as usize;
            let (fields, _) = self.take(count.saturating_mul(PLACE_SIZE))?.as_chunks::<PLACE_SIZE>();
            for field in fields {
                let [path, file, ..] = words(field);
                if path >= paths || file >= files {
                    return Err(malformed("a place has no field or no file"));
                }
                if *its_file.get_or_insert(file) != file {
                    return Err(malformed("a policy stands in two files"));
                }
                if before.replace(path).is_some_and(|before| before > path) {
                    return Err(malformed("the places are not in order"));
                }
            }
        }
        Ok(())
    }

    /// Reads a sorted list of texts for its length alone.
    fn check_names(&mut self) -> Read<u32> {
        let count = self.u32()?;
        let mut before = None;
        for _ in 0..count {
            let name = self.str()?;
            if before.replace(name).is_some_and(|before| before >= name) {
                return Err(malformed("the places are not in order"));
            }
        }
        Ok(count)
    }

    /// Reads what [`check_places`](Self::check_places) has checked.
    fn places(&mut self, policies: &[Policy]) -> Read<Places> {
        let mut files = self.list(|input| input.str().map(|name| FilePlaces::new(name.into())))?;
        let paths = self.list(|input| input.str().map(Into::into))?;
        let mut written = Vec::new();
        let mut names = policies.iter().map(|policy| &policy.name);
        for _ in 0..self.u32()? {
            let (namespace, name) = (self.str()?, self.str()?);
            let same = names.find(|policy| &*policy.namespace == namespace && &*policy.name == name);
            let policy = same
                .cloned()
                .unwrap_or_else(|| PolicyName { namespace: namespace.into(), name: name.into() });
            let mut its_file = None;
            for _ in 0..self.u32()? {
                let [field, file, line, column, end_line, end_column] = words(&self.array()?);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;

    fn app(value: &str) -> Selector {
        let requirement = Requirement::new("app".into(), Operator::In, vec![value.into()]);
        Selector::new(vec![requirement.unwrap()])
    }

    fn sample() -> Image {
        let port = |port, name: Option<&str>| PortSpec {
            port: Port::new(port).unwrap(),
            protocol: Protocol::Tcp,
            name: name.map(Into::into),
        };
        let policy = |name: &str, frontend| Policy {
            name: PolicyName { namespace: "default".into(), name: name.into() },
            frontend,
            backend: Backend {
                selector: app("x"),
                ports: vec![port(80, Some("http"))],
                address: Some("169.254.169.252".parse().unwrap()),
            },
            skip: true,
            fallback: Fallback::Drop,
            clients: Clients::Selector(app("c")),
            nodes: Some(app("n")),
            shadow_service: true,
        };
        let address = Matcher::Address { ip: "fd00::1".parse().unwrap(), ports: vec![port(8080, None)] };
        let service = Matcher::Service { name: "dns".into(), ports: vec![] };
        let mut file = FilePlaces::new("p.yaml".into());
        let (whole, name) = (file.field("metadata".into()), file.field("metadata.name".into()));
        file.push(whole, Stretch { line: 1, column: 1, end_line: 1, end_column: 5 });
        file.push(name, Stretch { line: 1, column: 2, end_line: 1, end_column: 5 });
        let number = file.end_policy();
        let places = Places::new(vec![file], [(policy("a", service.clone()).name, 0, number)]);
        let allowed = ["fd00::5/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        Image::seal(vec![policy("b", address), policy("a", service)], Some(&allowed), Some(&places))
    }

    /// The sample with `change` made to its bytes, and a checksum that fits again.
    fn rewritten(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = sample().bytes().to_vec();
        bytes.truncate(bytes.len() - CHECKSUM_SIZE);
        change(&mut bytes);
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    #[test]
    fn an_image_gives_back_what_was_sealed() {
        let sealed = sample();
        let decoded = Image::decode(sealed.bytes().to_vec()).unwrap();
        assert_eq!(decoded.policies(), sealed.policies());
        assert_eq!(decoded.allowed_addresses(), sealed.allowed_addresses());
        assert_eq!(decoded.places(), sealed.places());
        assert_eq!(decoded.digest(), sealed.digest());
        assert_eq!(decoded.policies()[0].name.to_string(), "default/a");
    }

    #[test]
    fn places_do_not_change_the_digest() {
        let sealed = sample();
        let allowed = sealed.allowed_addresses();
        let stripped = Image::seal(sealed.policies().to_vec(), allowed, None);
        assert_eq!(stripped.digest(), sealed.digest());
        assert_ne!(Image::seal(sealed.policies().to_vec(), None, None).digest(), sealed.digest());
        assert_eq!(sealed.digest().to_string().parse::<Digest>().unwrap(), sealed.digest());
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let bytes = sample().bytes().to_vec();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Image::decode(damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn any_missing_end_is_refused() {
        let bytes = sample().bytes().to_vec();
        for length in 0..bytes.len() {
            assert!(Image::decode(bytes[..length].to_vec()).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let newer = rewritten(|bytes| bytes[FORMAT_AT] = 9);
        assert_eq!(Image::decode(newer).unwrap_err(), DecodeError::NewerFormat { found: 9 });
    }

    /// Appends an empty section 9 with these flags.
    fn with_section(flags: u8) -> Vec<u8> {
        rewritten(|bytes| {
            let count = usize::from(bytes[SECTION_COUNT_AT]);
            bytes[SECTION_COUNT_AT] += 1;
            for row in 0..count {
                let at = HEADER_SIZE + row * SECTION_ROW_SIZE + 8;
                let offset = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
                bytes[at..at + 8].copy_from_slice(&(offset + SECTION_ROW_SIZE as u64).to_le_bytes());
            }
            let mut row = vec![9, 0, 0, 0, flags, 0, 0, 0];
            row.extend(((bytes.len() + SECTION_ROW_SIZE) as u64).to_le_bytes());
            row.extend([0; 8]);
            let end_of_table = HEADER_SIZE + count * SECTION_ROW_SIZE;
            bytes.splice(end_of_table..end_of_table, row);
            let length = (bytes.len() + CHECKSUM_SIZE) as u64;
            bytes[LENGTH_AT..LENGTH_AT + 8].copy_from_slice(&length.to_le_bytes());
        })
    }

    #[test]
    fn an_unknown_section_is_refused_only_where_it_has_meaning() {
        assert_eq!(Image::decode(with_section(0)).unwrap().digest(), sample().digest());
        assert_eq!(Image::decode(with_section(1)).unwrap_err(), DecodeError::UnknownSection { id: 9 });
    }

    /// Without its flag a section would fall out of the digest, and two sets of policies would share one.
    #[test]
    fn a_known_section_keeps_its_flags() {
        for row in 0..3 {
            let flags = HEADER_SIZE + row * SECTION_ROW_SIZE + 4;
            let changed = rewritten(|bytes| bytes[flags] ^= 1);
            assert!(matches!(Image::decode(changed), Err(DecodeError::Malformed { .. })), "row {row}");
        }
        let reserved = rewritten(|bytes| bytes[RESERVED_AT] = 1);
        assert!(matches!(Image::decode(reserved), Err(DecodeError::Malformed { .. })));
    }

    /// Two spellings of one list would be two digests of one meaning.
    #[test]
    fn an_allow_list_has_one_form() {
        let sealed = sample();
        let list: [Vec<IpNet>; 3] = [
            vec!["fd00::/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
            vec!["10.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
            vec!["10.0.0.1/8".parse().unwrap()],
        ];
        for list in list {
            let bytes = encode::encode(sealed.policies(), Some(&list), None).bytes;
            assert!(matches!(Image::decode(bytes), Err(DecodeError::Malformed { .. })), "{list:?}");
        }
    }

    /// What the compiler reports is in no image that it wrote, and so in none that is read.
    #[test]
    fn an_image_holds_nothing_that_the_compiler_reports() {
        let sealed = sample();
        let refused = |from: &[u8], to: &[u8]| {
            assert_eq!(from.len(), to.len());
            let changed = rewritten(|bytes| {
                let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
                bytes[at..at + to.len()].copy_from_slice(to);
            });
            let error = Image::decode(changed).unwrap_err();
            let DecodeError::Malformed { what } = error else { panic!("{error}") };
            what
        };
        let frontend = "fd00::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
        for ip in ["::", "::ffff:10.96.0.10", "ff02::1"] {
            let ip = ip.parse::<std::net::Ipv6Addr>().unwrap().octets();
            assert_eq!(refused(&frontend, &ip), "a frontend address is not one");
        }
        for ip in [[127, 0, 0, 1], [0, 0, 0, 0], [224, 0, 0, 1], [10, 0, 0, 1]] {
            assert_eq!(refused(&[169, 254, 169, 252], &ip), "a backend address is not one");
        }
        assert_eq!(refused(b"dns", b"DNS"), "a Service has no name that Kubernetes allows");
        assert_eq!(refused(b"default", b"de\x1b[2Jt"), "a policy has no name that Kubernetes allows");
        assert_eq!(refused(b"app", b"-pp"), "a selector has a requirement that is none");
        assert_eq!(refused(b"app\0\x01", b"app\x02\x01"), "a selector has a requirement that is none");
        assert!(Image::decode(sealed.bytes().to_vec()).is_ok());
    }

    /// Places are read later, and checked now.
    #[test]
    fn a_place_without_its_field_or_file_is_refused() {
        for number in [24, 20] {
            let broken = rewritten(|bytes| {
                let at = bytes.len() - number;
                bytes[at] = 9;
            });
            let refused = Image::decode(broken).unwrap_err();
            assert_eq!(refused, malformed("a place has no field or no file"));
        }
    }

    /// They are looked up by halving.
    #[test]
    fn places_out_of_order_are_refused() {
        let turned = rewritten(|bytes| {
            let at = bytes.len() - 48;
            bytes[at] = 1;
            bytes[at + 24] = 0;
        });
        assert_eq!(Image::decode(turned).unwrap_err(), malformed("the places are not in order"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..400), at in 0usize..2000) {
            let mut bytes = rewritten(|bytes| {
                for (index, byte) in noise.iter().enumerate() {
                    let length = bytes.len();
                    bytes[HEADER_SIZE + (at + index) % (length - HEADER_SIZE)] ^= byte;
                }
            });
            let _ = Image::decode(bytes.clone());
            bytes.drain(..8);
            let _ = Image::decode(bytes);
        }
    }

    /// Allowed warnings are kept, change no digest, and have one order.
    #[test]
    fn allowed_warnings_are_kept() {
        let sealed = sample();
        let warning = |line, code: &str| AllowedWarning { file: "p.yaml".into(), line, code: code.into() };
        let places = sealed.places().unwrap().clone();
        let places =
            places.allowing(vec![warning(2, "b"), warning(1, "z"), warning(1, "a"), warning(1, "z")]);
        let allowing = Image::seal(sealed.policies().to_vec(), sealed.allowed_addresses(), Some(&places));
        assert_eq!(allowing.digest(), sealed.digest());
        let read = Image::decode(allowing.bytes().to_vec()).unwrap();
        assert_eq!(read.allowed_warnings, [warning(1, "a"), warning(1, "z"), warning(2, "b")]);
        let again = Image::seal(read.policies().to_vec(), read.allowed_addresses(), read.places());
        assert_eq!(again.bytes(), allowing.bytes());
        let policy = &read.policies()[0].name;
        assert!(read.allows(policy, "metadata.name", "z") && read.allows(policy, "metadata.name", "a"));
        assert!(!read.allows(policy, "metadata.name", "b") && !read.allows(policy, "spec", "y"));
        let stripped = Image::seal(sealed.policies().to_vec(), sealed.allowed_addresses(), None);
        assert!(!stripped.allows(policy, "metadata.name", "z"));
    }
}

//! What bytes are read, and which are refused.

use super::*;
use crate::image::{
    Backend, Clients, Digest, Fallback, FilePlaces, Matcher, Operator, Places, Policy, PolicyName, Port,
    PortSpec, Requirement, Selector, Stretch,
};
use crate::protocol::Protocol;

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
    let places = places.allowing(vec![warning(2, "b"), warning(1, "z"), warning(1, "a"), warning(1, "z")]);
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

//! What the running kernel has of what lrpc uses: as the table of `docs/kernels.md` says.

#![expect(unsafe_code, reason = "bpf(2) and getsockopt(2) take addresses")]

use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use aya_obj::generated::{BPF_F_BEFORE, BPF_F_INNER_MAP, bpf_attach_type, bpf_cmd, bpf_map_type};
use lrpc_loader::node::Error;
use lrpc_schema::records::Hook;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::Sandbox;

use crate::Test;
use crate::assembly::{EXIT, attributes, call_for_fd, instruction, load, set};
use crate::raw::{Foreign, order};
use crate::world::{self, FRONTEND, OLD, World, image, of_service, options, row};

pub(crate) const TESTS: &[Test] = &[
    ("each_kernel_has_what_the_page_says", each_kernel_has_what_the_page_says),
    ("ours_run_behind_where_no_order_is_known", ours_run_behind_where_no_order_is_known),
];

const PAGE: &str = include_str!("../../../docs/kernels.md");

fn each_kernel_has_what_the_page_says() {
    let sandbox = Sandbox::enter().unwrap();
    let running = release();
    let mut asked = 0;
    for row in PAGE.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let Some((major, minor)) = cells[1].split_once('.') else { continue };
        let since = (major.parse().unwrap(), minor.parse().unwrap());
        let found = probe(cells[0], sandbox.cgroup());
        assert_eq!(found.is_ok(), running >= since, "{} on {running:?}: {found:?}", cells[0]);
        asked += 1;
    }
    assert_eq!(asked, 8, "rows of the page");
}

/// The running kernel's release, such as `(6, 12)`.
pub(crate) fn release() -> (u32, u32) {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// A program of somebody else is there. Ours go before it; where the kernel knows no order they go behind, and only
/// without a Service, which a load balancer before them would take.
fn ours_run_behind_where_no_order_is_known() {
    let world = World::new();
    let mut foreign = Foreign::passing(Hook::Connect4);
    foreign.share(world.sandbox.cgroup());
    let beside = world.sandbox.cgroup().join("beside");
    std::fs::create_dir(&beside).unwrap();
    let is_ordered = probe("`BPF_F_BEFORE` on cgroups", &beside).is_ok();
    let mut rows = world::set(&[of_service(row(FRONTEND, OLD))]);
    if !is_ordered {
        let refused = world.node.apply(&image(0), &rows, &options(), &mut |_| {}).unwrap_err();
        assert!(matches!(refused, Error::Behind { hook: Hook::Connect4, others: 1 }), "{refused:?}");
        assert_eq!(world.reached(), "original");
        rows = world::set(&[row(FRONTEND, OLD)]);
    }
    world.node.apply(&image(0), &rows, &options(), &mut |_| {}).unwrap();
    let running = order(world.sandbox.cgroup(), Hook::Connect4);
    assert_eq!((running.len(), running[usize::from(is_ordered)]), (2, foreign.id()), "{running:?}");
    assert_eq!(world.reached(), OLD);
}

/// Tries what a row speaks of.
fn probe(what: &str, cgroup: &Path) -> io::Result<()> {
    let connect = bpf_attach_type::BPF_CGROUP_INET4_CONNECT;
    let pass = [set(0, 1), EXIT];
    match what {
        "`bpf_get_netns_cookie`" => {
            load(connect, "probe", &[instruction(0x85, 0, 0, 122), set(0, 1), EXIT]).map(drop)
        }
        "`CAP_BPF`" => {
            let last: u32 = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap")?.trim().parse().unwrap();
            if last >= 39 { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
        }
        "getpeername hooks" => load(bpf_attach_type::BPF_CGROUP_INET4_GETPEERNAME, "probe", &pass).map(drop),
        "ring buffers" => make_map(bpf_map_type::BPF_MAP_TYPE_RINGBUF, [0, 0, 4096], 0),
        "`BPF_F_INNER_MAP`" => make_map(bpf_map_type::BPF_MAP_TYPE_ARRAY, [4, 8, 1], BPF_F_INNER_MAP),
        "map memory counted by cgroup" => {
            let before = getrlimit(Resource::Memlock);
            setrlimit(Resource::Memlock, Rlimit { current: Some(0), ..before })?;
            let made = make_map(bpf_map_type::BPF_MAP_TYPE_ARRAY, [4, 8, 1], 0);
            setrlimit(Resource::Memlock, before)?;
            made
        }
        "`SO_NETNS_COOKIE`" => own_netns_cookie(),
        "`BPF_F_BEFORE` on cgroups" => attach_before(&load(connect, "probe", &pass)?, cgroup),
        _ => panic!("nothing asks a kernel for: {what}"),
    }
}

/// Attaches a program to the hook of `connect4` as a link, before others.
fn attach_before(program: &impl AsFd, cgroup: &Path) -> io::Result<()> {
    let cgroup = File::open(cgroup)?;
    let mut attributes = attributes();
    attributes.link_create.__bindgen_anon_1.prog_fd = program.as_fd().as_raw_fd().cast_unsigned();
    attributes.link_create.__bindgen_anon_2.target_fd = cgroup.as_raw_fd().cast_unsigned();
    attributes.link_create.attach_type = bpf_attach_type::BPF_CGROUP_INET4_CONNECT as u32;
    attributes.link_create.flags = BPF_F_BEFORE;
    // SAFETY: the attributes hold no address, and the call opens a descriptor.
    unsafe { call_for_fd(bpf_cmd::BPF_LINK_CREATE, &mut attributes) }.map(drop)
}

/// Makes a map with a key of so many bytes, a value of so many, and so many of them.
fn make_map(kind: bpf_map_type, [key, value, most]: [u32; 3], flags: u32) -> io::Result<()> {
    let mut attributes = attributes();
    attributes.__bindgen_anon_1.map_type = kind as u32;
    attributes.__bindgen_anon_1.key_size = key;
    attributes.__bindgen_anon_1.value_size = value;
    attributes.__bindgen_anon_1.max_entries = most;
    attributes.__bindgen_anon_1.map_flags = flags;
    // SAFETY: the attributes hold no address, and the call opens a descriptor.
    unsafe { call_for_fd(bpf_cmd::BPF_MAP_CREATE, &mut attributes) }.map(drop)
}

/// Asks for the cookie of this thread's network namespace, as a socket tells it.
fn own_netns_cookie() -> io::Result<()> {
    const SO_NETNS_COOKIE: libc::c_int = 71;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let (mut cookie, mut length) = (0_u64, 8);
    let place = (&raw mut cookie).cast();
    let (socket, level) = (socket.as_raw_fd(), libc::SOL_SOCKET);
    // SAFETY: `cookie` has the eight bytes that `length` says, and both live through the call.
    match unsafe { libc::getsockopt(socket, level, SO_NETNS_COOKIE, place, &raw mut length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

//! How much work the kernel's verifier has with each program, under the two capabilities that an apply has.
//!
//! Without CAP_PERFMON the verifier also follows what a processor may do by speculation, so a program that is small
//! for root can be large here; every kernel counts differently. What was seen is recorded in
//! `ebpf/object/verifier.toml`, and growth is a failure, long before the kernel's own limit of a million.

#![expect(unsafe_code, reason = "bpf(2) takes addresses")]

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use aya::EbpfLoader;
use aya::maps::MapData;
use aya_obj::generated::{bpf_attach_type, bpf_cmd, bpf_prog_type};
use aya_obj::{Object, ProgramSection};
use lrpc_schema::records::Hook;
use rustix::thread::{CapabilitySet, CapabilitySets};
use serde::Deserialize;
use testkit::Sandbox;

use crate::Test;
use crate::assembly::{attributes, call_for_fd};
use crate::features::release;

static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../ebpf/object/lrpc.bpf.o");

/// `BPF_LOG_STATS` of linux/bpf_verifier.h: the log holds the verifier's figures, and its complaint.
const BPF_LOG_STATS: u32 = 4;

pub(crate) const TESTS: &[Test] =
    &[("the_verifier_is_done_with_each_program_soon", the_verifier_is_done_with_each_program_soon)];

/// The content of `verifier.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// What no program may exceed on any kernel.
    limit: u64,
    /// Release series of a kernel to program to instructions processed.
    seen: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Record {
    /// What a program may cost on a kernel: a tenth more than was seen there, or the limit where nothing was.
    fn bound(&self, series: &str, program: &str) -> u64 {
        let seen = self.seen.get(series).and_then(|programs| programs.get(program));
        seen.map_or(self.limit, |seen| (seen + seen / 10).min(self.limit))
    }
}

fn the_verifier_is_done_with_each_program_soon() {
    let record: Record = toml::from_str(include_str!("../../../ebpf/object/verifier.toml")).unwrap();
    let sandbox = Sandbox::enter().unwrap();
    let programs = Programs::new(&sandbox.bpf_mount());
    let two = CapabilitySet::BPF | CapabilitySet::NET_ADMIN;
    let sets = CapabilitySets { effective: two, permitted: two, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).unwrap();
    let (major, minor) = release();
    let series = format!("{major}.{minor}");
    let mut complaints = Vec::new();
    for hook in Hook::ALL {
        let log = match programs.verify(hook) {
            Ok(log) => log,
            Err((error, log)) => {
                complaints.push(format!("{hook} is refused ({error}): {log}"));
                continue;
            }
        };
        let processed = log.split_once("processed ").and_then(|(_, rest)| rest.split(' ').next());
        let processed: u64 =
            processed.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{log}"));
        // `cargo xtask vm --record` reads these lines.
        println!("verifier: {series} {hook} {processed}");
        let bound = record.bound(&series, hook.name());
        if processed > bound {
            complaints.push(format!("{hook}: {processed} instructions processed, {bound} at most"));
        }
    }
    assert!(complaints.is_empty(), "on {series}:\n{}", complaints.join("\n"));
}

/// Our programs as instructions that look into maps of their own, ready for the verifier.
struct Programs {
    object: Object,
    /// Owns the maps that the instructions name by descriptor.
    _maps: Vec<MapData>,
}

impl Programs {
    /// Makes the maps and pins them in a folder of the scratch bpffs.
    fn new(bpffs: &Path) -> Self {
        let loaded = EbpfLoader::new().load(OBJECT).unwrap();
        let folder = bpffs.join("verified");
        std::fs::create_dir(&folder).unwrap();
        let mut object = Object::parse(OBJECT).unwrap();
        let declared = std::mem::take(&mut object.maps);
        let mut maps = Vec::new();
        for (name, map) in loaded.maps() {
            map.pin(folder.join(name)).unwrap();
            maps.push((name, MapData::from_pin(folder.join(name)).unwrap()));
        }
        let texts = object.functions.keys().map(|(section, _)| *section).collect();
        let by_name = maps.iter().map(|(name, map)| (*name, map.fd().as_fd().as_raw_fd(), &declared[*name]));
        object.relocate_maps(by_name, &texts).unwrap();
        object.relocate_calls(&texts).unwrap();
        Self { object, _maps: maps.into_iter().map(|(_, map)| map).collect() }
    }

    /// Has the kernel verify a program, and says what it says of its work; with an error where it refuses.
    fn verify(&self, hook: Hook) -> Result<String, (io::Error, String)> {
        let program = &self.object.programs[hook.name()];
        let ProgramSection::CgroupSockAddr { attach_type } = program.section else {
            panic!("{hook} is of another kind")
        };
        let instructions = &self.object.functions[&program.function_key()].instructions;
        let mut log = vec![0_u8; 1 << 16];
        let mut attributes = attributes();
        attributes.__bindgen_anon_3.prog_type = bpf_prog_type::BPF_PROG_TYPE_CGROUP_SOCK_ADDR as u32;
        attributes.__bindgen_anon_3.expected_attach_type = bpf_attach_type::from(attach_type) as u32;
        attributes.__bindgen_anon_3.insn_cnt = u32::try_from(instructions.len()).unwrap();
        attributes.__bindgen_anon_3.insns = instructions.as_ptr().addr() as u64;
        attributes.__bindgen_anon_3.license = program.license.as_ptr().addr() as u64;
        attributes.__bindgen_anon_3.log_level = BPF_LOG_STATS;
        attributes.__bindgen_anon_3.log_size = u32::try_from(log.len()).unwrap();
        attributes.__bindgen_anon_3.log_buf = log.as_mut_ptr().addr() as u64;
        // SAFETY: instructions, license and log outlive the call, which opens a descriptor.
        let verified = unsafe { call_for_fd(bpf_cmd::BPF_PROG_LOAD, &mut attributes) };
        let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
        let log = String::from_utf8_lossy(&log[..end]).into_owned();
        verified.map(|_| log.clone()).map_err(|error| (error, log))
    }
}

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Instant;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::{self, Backend, Frontend, PodRef, Row, ServiceName};
use lrpc_linker::profile::Mode;
use lrpc_schema::image::{Clients, Digest, Fallback, Image, PolicyName, Port, Protocol};
use rustix::fs::{CWD, FileType, Mode as Permissions, mknodat};
use tempfile::TempDir;

use lrpc_schema::records::Generation;

use super::*;
use crate::fs::{FsError, Sharing};
use crate::kernel::sys::gate::{Failing, Script};

/// A state directory of its own, and directories of pins.
struct Scratch {
    folder: TempDir,
    state: StateDir,
}

impl Scratch {
    fn new() -> Self {
        let folder = crate::fs::in_memory();
        let state = StateDir::new(folder.path().join("state"));
        Self { folder, state }
    }

    /// A directory of pins, with something pinned.
    fn pins(&self, name: &str) -> Dir {
        let pins = Dir::make(&self.folder.path().join(name)).unwrap();
        pins.make_child("lrpc-instance-1").unwrap();
        pins.make_child("links").unwrap();
        pins
    }

    fn file(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    fn claimed() -> Self {
        let scratch = Self::new();
        scratch.state.claim(&scratch.pins("pins")).unwrap();
        scratch
    }
}

fn n(number: u64) -> Generation {
    Generation::new(number).unwrap()
}

fn event(generation: u64) -> Event {
    Event {
        generation: n(generation),
        at: "2026-11-23T12:00:00Z".to_owned(),
        action: Action::Apply,
        image: Digest::new([1; 32]),
        digest: Digest::new([2; 32]),
        result: Outcome::Ok,
        resident: false,
        error: None,
    }
}

fn image() -> Image {
    Image::seal(vec![], None, None)
}

fn set() -> MapSet {
    let pod = |name: &str| PodRef { namespace: "default".into(), name: name.into(), uid: None };
    let row = Row {
        frontend: Frontend {
            address: [10, 96, 0, 10].into(),
            port: Port::new(53).unwrap(),
            protocol: Protocol::Udp,
        },
        policy: PolicyName { namespace: "default".into(), name: "dns".into() },
        service: Some(ServiceName { namespace: "default".into(), name: "kube-dns".into() }),
        outcome: mapset::Outcome::Redirect(vec![Backend {
            address: [10, 244, 0, 1].into(),
            port: Port::new(53).unwrap(),
            pods: vec![pod("one"), pod("two")],
        }]),
        skip_flag: true,
        skip: [pod("one")].into(),
        fallback: Fallback::Original,
        clients: Clients::Pods,
        client_pods: Arc::default(),
    };
    [row].into_iter().collect()
}

fn loaded_as(generation: u64) -> LoadedAs {
    LoadedAs {
        generation: n(generation),
        node: "n1".to_owned(),
        mode: Mode::Full,
        image: image().digest(),
        digest: set().digest(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_missing_is_nothing() {
    let scratch = Scratch::new();
    assert!(scratch.state.history().unwrap().events.is_empty());
    assert!(scratch.state.image(&image().digest()).unwrap().is_none());
    assert!(scratch.state.generation(n(1)).unwrap().is_none());
    scratch.state.prune(&[]).unwrap();
    assert!(!scratch.state.path().exists(), "who only reads makes nothing");
}

#[test]
fn a_line_that_is_no_event_takes_no_other_with_it() {
    let scratch = Scratch::claimed();
    scratch.state.remember(&event(1)).unwrap();
    let mut bytes = fs::read(scratch.file("history.jsonl")).unwrap();
    bytes.extend(b"\xff\n\n{\"generation\":2,\n{\"generation\":3");
    fs::write(scratch.file("history.jsonl"), bytes).unwrap();
    scratch.state.remember(&event(4)).unwrap();
    let history = scratch.state.history().unwrap();
    assert_eq!(history.events, [event(1), event(4)]);
    assert!(matches!(history.trouble, Some(StateError::PassedOver { lines: 3, .. })), "{history:?}");
}

#[test]
fn a_number_that_the_cell_has_no_room_for_is_not_believed() {
    let scratch = Scratch::claimed();
    let line = serde_json::to_string(&event(7)).unwrap() + "\n";
    let lines = [7, (1 << 48) - 1, 1 << 48, u64::MAX]
        .map(|number| line.replace("\"generation\":7", &format!("\"generation\":{number}")));
    fs::write(scratch.file("history.jsonl"), lines.concat()).unwrap();
    let history = scratch.state.history().unwrap();
    assert_eq!(history.events, [event(7)]);
    assert!(history.trouble.is_some());
}

#[test]
fn the_history_is_cut_and_the_newest_stay() {
    let scratch = Scratch::claimed();
    let line = serde_json::to_string(&event(1)).unwrap() + "\n";
    let many = (1 << 20) / line.len() + 100;
    fs::write(scratch.file("history.jsonl"), line.repeat(many)).unwrap();
    assert!(scratch.state.history().unwrap().trouble.is_none(), "a beginning that is not read is no damage");
    scratch.state.remember(&event(2)).unwrap();
    let length = fs::metadata(scratch.file("history.jsonl")).unwrap().len();
    assert!((1 << 18..=1 << 19).contains(&length), "{length}");
    let history = scratch.state.history().unwrap();
    assert!(history.events.len() > 1_000 && history.trouble.is_none(), "{}", history.events.len());
    assert_eq!(history.events.last(), Some(&event(2)));
}

/// A FIFO without a writer would be waited for.
#[test]
fn what_is_no_file_in_the_place_of_one_is_an_error_at_once() {
    for name in ["history.jsonl", "lrpc-instance"] {
        let scratch = Scratch::claimed();
        fs::remove_file(scratch.file(name)).unwrap();
        mknodat(CWD, scratch.file(name), FileType::Fifo, Permissions::RWXU, 0).unwrap();
        let since = Instant::now();
        let refused = scratch.state.claim(&scratch.pins("pins")).unwrap_err();
        assert!(matches!(refused, StateError::Directory(FsError::Kind { .. })), "{refused:?}");
        assert!(refused.remedy().unwrap().contains(name));
        assert!(since.elapsed().as_secs() < 2);
    }
    let scratch = Scratch::claimed();
    fs::remove_file(scratch.file("history.jsonl")).unwrap();
    symlink("/etc/passwd", scratch.file("history.jsonl")).unwrap();
    assert!(scratch.state.remember(&event(1)).is_err() && scratch.state.history().is_err());
}

#[test]
fn a_generation_comes_back_as_it_was() {
    let scratch = Scratch::claimed();
    scratch.state.prepare(&image(), &set(), &loaded_as(7)).unwrap();
    assert_eq!(scratch.state.generation(n(7)).unwrap(), Some((loaded_as(7), set())));
    assert_eq!(scratch.state.image(&image().digest()).unwrap().as_deref(), Some(image().bytes()));
    assert!(scratch.state.generation(n(8)).unwrap().is_none());
}

/// The drawing in `docs/state-format.md`, byte by byte up to the set, which `linker` holds to it.
#[test]
fn a_generation_is_written_as_documented() {
    let scratch = Scratch::claimed();
    scratch.state.prepare(&image(), &set(), &loaded_as(7)).unwrap();
    let written = fs::read(scratch.file("generations/7.lrpcgen")).unwrap();
    let said = format!(
        r#"{{"generation":7,"node":"n1","mode":"full","image":"{}","digest":"{}"}}"#,
        image().digest(),
        set().digest()
    );
    let mut drawn = b"\x89LRPCGEN\x01\0\0\0".to_vec();
    drawn.extend(u32::try_from(said.len()).unwrap().to_le_bytes());
    drawn.extend(said.as_bytes());
    set().write(&mut drawn).unwrap();
    drawn.extend(blake3::hash(&drawn).as_bytes());
    assert!(written == drawn);
}

#[test]
fn no_damage_to_a_generation_is_believed_and_the_next_apply_mends_it() {
    let scratch = Scratch::claimed();
    let file = scratch.file("generations/7.lrpcgen");
    scratch.state.prepare(&image(), &set(), &loaded_as(7)).unwrap();
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&file, damaged).unwrap();
        let error = scratch.state.generation(n(7)).unwrap_err();
        assert!(error.to_string().contains("7.lrpcgen") && error.remedy().is_some(), "byte {at}: {error}");
        fs::write(&file, &whole[..at]).unwrap();
        assert!(scratch.state.generation(n(7)).is_err(), "cut at {at}");
    }
    scratch.state.prepare(&image(), &set(), &loaded_as(7)).unwrap();
    assert_eq!(fs::read(&file).unwrap(), whole);
    fs::rename(&file, scratch.file("generations/8.lrpcgen")).unwrap();
    assert!(matches!(
        scratch.state.generation(n(8)),
        Err(StateError::Damaged { damage: Damage::Digest, .. })
    ));
}

#[test]
fn a_damaged_image_is_mended() {
    let scratch = Scratch::claimed();
    scratch.state.keep_image(&image()).unwrap();
    let file = scratch.file("images").join(&names(&scratch.file("images"))[0]);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    for damaged in [&[][..], &whole[1..], &flipped] {
        fs::write(&file, damaged).unwrap();
        scratch.state.keep_image(&image()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), whole);
    }
}

#[test]
fn what_no_resident_generation_needs_goes_and_nothing_else() {
    let scratch = Scratch::claimed();
    for generation in [1, 2] {
        scratch.state.prepare(&image(), &set(), &loaded_as(generation)).unwrap();
    }
    let half = ".half-0123456789abcdef";
    for theirs in ["generations/1", "generations/x.lrpcgen", "images/mine.lrpc", "images/readme", "theirs"] {
        fs::write(scratch.file(theirs), theirs).unwrap();
    }
    fs::create_dir(scratch.file("images/folder")).unwrap();
    fs::write(scratch.file("generations").join(half), "").unwrap();
    scratch.state.prune(&[n(2)]).unwrap();
    assert_eq!(names(&scratch.file("generations")), ["1", "2.lrpcgen", "x.lrpcgen"]);
    assert_eq!(names(&scratch.file("images")).len(), 4, "the image of generation 2 stays");
    scratch.state.prune(&[]).unwrap();
    assert_eq!(names(&scratch.file("generations")), ["1", "x.lrpcgen"]);
    assert_eq!(names(&scratch.file("images")), ["folder", "mine.lrpc", "readme"]);
    assert_eq!(fs::read_to_string(scratch.file("generations/1")).unwrap(), "generations/1");
}

/// Which image a damaged generation needs is not known, so none is removed.
#[test]
fn pruning_goes_on_after_an_error_and_removes_no_image_by_guess() {
    let scratch = Scratch::claimed();
    for generation in [1, 2] {
        scratch.state.prepare(&image(), &set(), &loaded_as(generation)).unwrap();
    }
    fs::write(scratch.file("generations/2.lrpcgen"), "damaged").unwrap();
    assert!(scratch.state.prune(&[n(2)]).is_err());
    assert_eq!(names(&scratch.file("generations")), ["2.lrpcgen"]);
    assert_eq!(names(&scratch.file("images")).len(), 1);
}

#[test]
fn a_folder_of_others_is_refused_and_left_as_it_is() {
    for theirs in ["images/cat.png", "rows/1.json", "generations/1.lrpcgen", "history.jsonl"] {
        let scratch = Scratch::new();
        let file = scratch.file(theirs);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "theirs").unwrap();
        let top = theirs.split('/').next().unwrap();
        let refusals = [
            scratch.state.claim(&scratch.pins("pins")).unwrap_err(),
            scratch.state.remember(&event(1)).unwrap_err(),
            scratch.state.prepare(&image(), &set(), &loaded_as(1)).unwrap_err(),
            scratch.state.prune(&[]).unwrap_err(),
            scratch.state.history().unwrap_err(),
        ];
        for refused in refusals {
            assert!(refused.to_string().contains(&format!("holds `{top}`")), "{refused}");
            let remedy = refused.remedy().unwrap();
            assert_eq!(remedy, format!("--state {}", scratch.file("lrpc").display()));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        assert_eq!(names(scratch.state.path()), [top]);
        // The remedy, followed.
        StateDir::new(scratch.file("lrpc")).claim(&scratch.pins("pins")).unwrap();
    }
}

/// A marker that is lost, or damaged, loses no history.
#[test]
fn a_history_of_ours_makes_the_folder_ours() {
    let scratch = Scratch::claimed();
    scratch.state.remember(&event(1)).unwrap();
    fs::remove_file(scratch.file("lrpc-instance")).unwrap();
    scratch.state.claim(&scratch.pins("pins")).unwrap();
    fs::write(scratch.file("lrpc-instance"), "").unwrap();
    scratch.state.claim(&scratch.pins("pins")).unwrap();
    assert_eq!(scratch.state.history().unwrap().events, [event(1)]);
}

#[test]
fn two_instances_that_are_loaded_do_not_share_a_memory() {
    let scratch = Scratch::claimed();
    let other = scratch.pins("other");
    let refused = scratch.state.claim(&other).unwrap_err();
    assert!(matches!(refused, StateError::OfAnother { .. }), "{refused:?}");
    assert!(refused.to_string().contains("/pins`") && refused.remedy().unwrap().contains("--state"));
    scratch.state.claim(&scratch.pins("pins")).unwrap();
    // The first one, under another path: a container sees it there.
    fs::rename(scratch.folder.path().join("pins"), scratch.folder.path().join("elsewhere")).unwrap();
    scratch.state.claim(&scratch.pins("elsewhere")).unwrap();
    assert!(scratch.state.claim(&other).is_err());
    // It unloads, and leaves only its marker; while a loader is at work there, it may be loaded again.
    fs::remove_dir(scratch.folder.path().join("elsewhere/links")).unwrap();
    let marker = Dir::open(&scratch.folder.path().join("elsewhere/lrpc-instance-1")).unwrap().unwrap();
    let at_work = marker.try_lock(Sharing::Exclusive).unwrap().unwrap();
    assert!(scratch.state.claim(&other).is_err());
    drop(at_work);
    scratch.state.claim(&other).unwrap();
    assert!(scratch.state.claim(&scratch.pins("elsewhere")).is_err());
}

/// After a reboot no pin is left, whatever has taken the numbers and the path.
#[test]
fn whoever_comes_first_after_a_reboot_goes_on() {
    let scratch = Scratch::claimed();
    let marker = fs::read_to_string(scratch.file("lrpc-instance")).unwrap();
    let boot = marker.split("\"boot\":\"").nth(1).unwrap().split('"').next().unwrap();
    fs::write(scratch.file("lrpc-instance"), marker.replace(boot, "an-earlier-boot")).unwrap();
    scratch.state.claim(&scratch.pins("other")).unwrap();
    assert!(matches!(scratch.state.claim(&scratch.pins("pins")), Err(StateError::OfAnother { .. })));
}

#[test]
fn what_a_later_version_wrote_is_refused() {
    let scratch = Scratch::claimed();
    fs::write(scratch.file("lrpc-instance"), r#"{"format":2,"new":[]}"#).unwrap();
    let refused = scratch.state.claim(&scratch.pins("pins")).unwrap_err();
    assert!(matches!(refused, StateError::Later { format: 2, .. }), "{refused:?}");
    let scratch = Scratch::claimed();
    scratch.state.prepare(&image(), &set(), &loaded_as(7)).unwrap();
    let file = scratch.file("generations/7.lrpcgen");
    let mut bytes = fs::read(&file).unwrap();
    bytes[8] = 2;
    fs::write(&file, bytes).unwrap();
    assert!(matches!(scratch.state.generation(n(7)), Err(StateError::Later { format: 2, .. })));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = StateDir::new(file.clone()).remember(&event(1)).unwrap_err();
    assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
}

/// At whatever call an error comes: it is told, nothing half is believed, and the next apply goes on.
#[test]
fn every_error_is_told_and_leaves_what_can_be_gone_on_from() {
    let work = |scratch: &Scratch| -> Result<(), StateError> {
        scratch.state.claim(&Dir::open(&scratch.folder.path().join("pins"))?.unwrap())?;
        scratch.state.prepare(&image(), &set(), &loaded_as(2))?;
        scratch.state.remember(&event(2))?;
        scratch.state.prune(&[n(2)])
    };
    let run = |failing| {
        let scratch = Scratch::new();
        scratch.pins("pins");
        let script = Script::new(failing);
        let done = script.run(|| work(&scratch));
        (scratch, done, script.calls())
    };
    let (_, done, calls) = run(None);
    done.unwrap();
    assert!(calls.len() > 50, "{}", calls.len());
    for call in 0..calls.len() {
        let (scratch, done, _) = run(Some(Failing { call, errno: libc::EIO }));
        if done.is_ok() {
            assert_eq!(scratch.state.generation(n(2)).unwrap(), Some((loaded_as(2), set())));
            assert_eq!(scratch.state.history().unwrap().events, [event(2)]);
        }
        let lines = scratch.state.history().unwrap().events.len();
        assert!(scratch.state.generation(n(2)).is_ok() && scratch.state.history().unwrap().trouble.is_none());
        work(&scratch).unwrap();
        assert_eq!(scratch.state.history().unwrap().events, vec![event(2); lines + 1]);
        assert!(scratch.state.generation(n(2)).unwrap().is_some());
        let (_, done, _) = run(Some(Failing { call, errno: libc::EINTR }));
        done.unwrap();
    }
}

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use tempfile::TempDir;

use super::file::is_half;
use super::trust::{Role, judge};
use super::*;
use crate::kernel::sys::gate::{Failing, Script};

fn scratch() -> (TempDir, Dir) {
    let folder = in_memory();
    let dir = Dir::open(folder.path()).unwrap().unwrap();
    (folder, dir)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
}

/// Runs `work` once without errors and once for each of its calls with each of these errors at that call.
/// `prepare` makes what it works on, `look` judges what came of it.
fn with_each_error(
    work: impl Fn(&Dir) -> Result<(), FsError>,
    look: impl Fn(&Path, Result<(), FsError>),
    prepare: impl Fn(&Path),
) {
    let run = |failing| {
        let (folder, dir) = scratch();
        prepare(folder.path());
        let script = Script::new(failing);
        let done = script.run(|| work(&dir));
        (folder, done, script.calls())
    };
    let (_, done, calls) = run(None);
    done.unwrap();
    for (call, name) in calls.iter().enumerate() {
        for errno in [libc::ENOMEM, libc::EMFILE, libc::EIO, libc::ENOSPC, libc::EACCES, libc::EROFS] {
            let (folder, done, _) = run(Some(Failing { call, errno }));
            look(folder.path(), done);
        }
        let (folder, done, _) = run(Some(Failing { call, errno: libc::EINTR }));
        assert!(done.is_ok(), "an interrupted {name} is not made again: {done:?}");
        look(folder.path(), done);
    }
}

#[test]
fn what_is_missing_is_none_and_is_made_for_us_alone() {
    let (folder, dir) = scratch();
    let deep = folder.path().join("a/b/../b/./c");
    assert!(Dir::open(&deep).unwrap().is_none());
    let made = Dir::make(&deep).unwrap();
    assert_eq!(made.path().file_name().unwrap(), "c");
    for made in ["a", "a/b", "a/b/c"] {
        assert_eq!(mode(&folder.path().join(made)), 0o700, "{made}");
    }
    assert!(Dir::open(&deep).unwrap().is_some());
    assert!(dir.child("a").unwrap().unwrap().child("x").unwrap().is_none());
    assert_eq!(dir.make_child("d").unwrap().path(), dir.path().join("d"));
    assert!(dir.make_child("d").is_ok());
    assert_eq!(mode(&folder.path().join("d")), 0o700);
}

#[test]
fn who_else_may_write_is_said() {
    let (folder, dir) = scratch();
    let open = folder.path().join("open");
    fs::create_dir_all(open.join("inner")).unwrap();
    for (mode, who) in [(0o777, "everyone (mode 0777)"), (0o775, "its group (mode 0775)")] {
        set_mode(&open, mode);
        for refused in [Dir::open(&open), Dir::open(&open.join("inner")), dir.child("open")] {
            let error = refused.unwrap_err();
            let said = format!("{}` cannot be trusted: it can be written by {who}", open.display());
            assert!(error.to_string().ends_with(&said), "{error}");
            assert!(error.remedy("--bpffs").unwrap().contains("chmod go-w"), "{error}");
        }
    }
    // The sticky bit makes it a way, never our own.
    set_mode(&open, 0o1777);
    assert!(Dir::open(&open.join("inner")).unwrap().is_some());
    assert!(Dir::make(&open).is_err());
    let remedy = Dir::open(&open).unwrap_err().remedy("--bpffs").unwrap();
    assert_eq!(remedy, format!("--bpffs {}", open.join("lrpc").display()));
    assert!(Dir::make(&open.join("lrpc")).is_ok());
}

#[test]
fn only_root_and_we_are_trusted() {
    let (_folder, dir) = scratch();
    let mut found = rustix::fs::fstat(&dir).unwrap();
    let us = rustix::process::geteuid().as_raw();
    for (owner, mode, way, own) in [
        (us, 0o700, true, true),
        (0, 0o755, true, true),
        (us + 65_534, 0o700, false, false),
        (us + 65_534, 0o1777, false, false),
        (0, 0o1777, true, false),
        (0, 0o1775, true, false),
        (0, 0o777, false, false),
        (us, 0o720, false, false),
        (us, 0o702, false, false),
    ] {
        (found.st_uid, found.st_mode) = (owner, 0o040_000 | mode);
        let judged = [Role::Way, Role::Own].map(|role| judge(&found, role).is_ok());
        assert_eq!(judged, [way, own], "owner {owner}, mode {mode:o}");
    }
    assert_eq!(Distrust::Owner(7).to_string(), "belongs to user 7");
}

#[test]
fn our_links_lead_to_a_directory_and_no_child_is_one() {
    let (folder, dir) = scratch();
    let real = folder.path().join("real");
    fs::create_dir_all(real.join("inner")).unwrap();
    symlink(&real, folder.path().join("absolute")).unwrap();
    symlink("real/../real/inner", folder.path().join("relative")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    symlink("made", folder.path().join("dangling")).unwrap();
    let path = |name: &str| folder.path().join(name);
    let real_path = dir.path().join("real");
    assert_eq!(Dir::open(&path("absolute")).unwrap().unwrap().path(), real_path);
    assert_eq!(Dir::open(&path("absolute/inner")).unwrap().unwrap().path(), real_path.join("inner"));
    assert_eq!(Dir::open(&path("relative")).unwrap().unwrap().path(), real_path.join("inner"));
    assert_eq!(Dir::open(&path("loop")).unwrap_err().errno(), Some(libc::ELOOP));
    assert!(Dir::open(&path("dangling")).unwrap().is_none());
    assert_eq!(Dir::make(&path("dangling")).unwrap().path(), dir.path().join("made"));
    for link in ["absolute", "relative", "loop"] {
        assert!(matches!(dir.child(link), Err(FsError::Kind { .. })), "{link}");
        assert!(matches!(dir.make_child(link), Err(FsError::Kind { .. })), "{link}");
    }
}

/// What a link leads to is looked at as if it had been named, also where it leads to what was a way.
#[test]
fn a_link_to_a_way_does_not_make_it_our_own() {
    let (folder, _dir) = scratch();
    let sticky = folder.path().join("sticky");
    fs::create_dir(&sticky).unwrap();
    set_mode(&sticky, 0o1777);
    for (name, target) in [("here", "."), ("above", "../sticky"), ("absolute", sticky.to_str().unwrap())] {
        symlink(target, sticky.join(name)).unwrap();
        assert!(matches!(Dir::open(&sticky.join(name)), Err(FsError::Untrusted { .. })), "{name}");
    }
}

#[test]
fn a_name_is_one_step_down() {
    let (folder, dir) = scratch();
    fs::write(folder.path().join("file"), "").unwrap();
    for name in ["", ".", "..", "/", "a/b", "../file", "/file"] {
        assert!(dir.child(name).is_err(), "{name}");
        assert!(dir.make_child(name).is_err(), "{name}");
        assert!(dir.remove(name).is_err(), "{name}");
        assert!(dir.rename("file", &dir, name).is_err(), "{name}");
        assert!(dir.read(name, 1).is_err(), "{name}");
        assert!(dir.replace(name, |_| Ok(())).is_err(), "{name}");
        assert!(dir.append(name, b"").is_err(), "{name}");
    }
    assert_eq!(dir.names().unwrap(), ["file"]);
    assert!(matches!(dir.child("file"), Err(FsError::Kind { expected: "directory", .. })));
}

#[test]
fn removal_follows_no_link_and_counts_what_is_no_directory() {
    let (folder, dir) = scratch();
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("file"), "kept").unwrap();
    let mine = folder.path().join("mine");
    fs::create_dir_all(mine.join("a/b")).unwrap();
    fs::write(mine.join("a/one"), "").unwrap();
    fs::write(mine.join("a").join(OsStr::from_bytes(b"\xff")), "").unwrap();
    symlink(&kept, mine.join("a/b/link")).unwrap();
    symlink(kept.join("file"), mine.join("two")).unwrap();
    assert_eq!(dir.remove("mine").unwrap(), 4);
    assert_eq!(dir.remove("mine").unwrap(), 0);
    assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), "kept");
    symlink(&kept, folder.path().join("link")).unwrap();
    assert_eq!(dir.remove("link").unwrap(), 1);
    assert_eq!(dir.names().unwrap(), ["kept"]);
}

/// Somebody exchanges a directory for a link to another, over and over, while it is removed.
#[test]
fn no_exchange_leads_a_removal_elsewhere() {
    let (folder, dir) = scratch();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("kept")).unwrap();
    let kept: Vec<_> = (0..20).map(|number| path("kept").join(number.to_string())).collect();
    for file in &kept {
        fs::write(file, "").unwrap();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::create_dir_all(path("mine/inner"));
                let _ = symlink(path("kept"), path("mine/link"));
                let _ = renameat_with(CWD, path("mine/link"), CWD, path("mine/inner"), RenameFlags::EXCHANGE);
            }
        });
        let (since, mut removed) = (Instant::now(), 0);
        while removed < 5_000 && since.elapsed() < Duration::from_secs(1) {
            // It may find the directory full again, or exchanged for something that is none.
            removed += dir.remove("mine").unwrap_or(0);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(kept.iter().all(|file| file.exists()), "something elsewhere was removed");
}

#[test]
fn a_directory_is_worked_in_wherever_it_is_moved() {
    let (folder, dir) = scratch();
    let child = dir.make_child("before").unwrap();
    fs::rename(folder.path().join("before"), folder.path().join("after")).unwrap();
    symlink("/", folder.path().join("before")).unwrap();
    fs::write(child.at("by-path"), "").unwrap();
    child.append("by-descriptor", b"").unwrap();
    assert_eq!(dir.child("after").unwrap().unwrap().names().unwrap(), ["by-descriptor", "by-path"]);
}

#[test]
fn renaming_takes_one_step_also_to_another_directory() {
    let (_folder, dir) = scratch();
    let (from, to) = (dir.make_child("from").unwrap(), dir.make_child("to").unwrap());
    from.append("a", b"new").unwrap();
    to.append("b", b"old").unwrap();
    from.rename("a", &to, "b").unwrap();
    assert_eq!(to.read("b", 9).unwrap().unwrap(), b"new\n");
    assert!(from.names().unwrap().is_empty());
    let error = from.rename("a", &to, "b").unwrap_err();
    assert_eq!(error.errno(), Some(libc::ENOENT));
}

#[test]
fn only_regular_files_are_read_and_only_up_to_a_bound() {
    let (folder, dir) = scratch();
    assert!(dir.read("missing", 9).unwrap().is_none());
    dir.append("file", b"12345678").unwrap();
    assert_eq!(dir.read("file", 9).unwrap().unwrap(), b"12345678\n");
    assert!(matches!(dir.read("file", 8), Err(FsError::TooLong { most: 8, .. })));
    fifo(&folder.path().join("fifo"));
    symlink("file", folder.path().join("link")).unwrap();
    dir.make_child("directory").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    for name in ["fifo", "link", "directory", "socket"] {
        assert!(matches!(dir.read(name, 9), Err(FsError::Kind { .. })), "{name}");
        assert!(matches!(dir.append(name, b""), Err(FsError::Kind { .. })), "{name}");
    }
}

#[test]
fn a_line_cut_short_does_not_take_the_next_one_with_it() {
    let (folder, dir) = scratch();
    fs::write(folder.path().join("lines"), "cut sho").unwrap();
    dir.append("lines", b"one").unwrap();
    dir.append("lines", b"two").unwrap();
    assert_eq!(dir.read("lines", 99).unwrap().unwrap(), b"cut sho\none\ntwo\n");
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let whole = |text: &str| text == "old" || text == "new";
    with_each_error(
        |dir| dir.replace("file", |file| file.write_all(b"new")),
        |folder, done| {
            let text = fs::read_to_string(folder.join("file")).unwrap();
            assert!(whole(&text) && (done.is_err() || text == "new"), "{text}: {done:?}");
            assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "something half is left after {done:?}");
        },
        |folder| fs::write(folder.join("file"), "old").unwrap(),
    );
    let (folder, dir) = scratch();
    fs::write(folder.path().join("file"), "old").unwrap();
    let error = dir.replace("file", |_| Err(io::Error::other("no"))).unwrap_err();
    assert!(error.to_string().starts_with("writing"), "{error}");
    assert_eq!(dir.names().unwrap(), ["file"]);
    // What a writer that died has left is known by its name.
    assert!(is_half(half(&dir).as_ref()));
    assert!(!is_half(".half-0123456789abcde".as_ref()) && !is_half(".half-0123456789abcdeg".as_ref()));
}

/// The name under which a file is written.
fn half(dir: &Dir) -> String {
    let mut name = String::new();
    dir.replace("file", |_| {
        name = dir.names().map_err(io::Error::other)?[0].to_string_lossy().into_owned();
        Ok(())
    })
    .unwrap();
    name
}

#[test]
fn no_errors_are_swallowed_by_what_works_on_names() {
    with_each_error(
        |dir| {
            dir.make_child("a")?.make_child("b")?.append("line", b"")?;
            dir.child("a")?.unwrap().child("b")?.unwrap().read("line", 9)?;
            dir.rename("a", dir, "c")?;
            dir.remove("c").map(drop)
        },
        |folder, done| assert!(done.is_err() || fs::read_dir(folder).unwrap().count() == 0),
        |_| {},
    );
    with_each_error(
        |dir| Dir::make(&dir.path().join("a/b")).map(drop),
        |folder, done| assert!(done.is_err() || folder.join("a/b").exists()),
        |_| {},
    );
}

#[test]
fn one_holds_the_lock_or_several_share_it() {
    let (_folder, dir) = scratch();
    let shared = dir.try_lock(Sharing::Shared).unwrap().unwrap();
    let other = dir.try_lock(Sharing::Shared).unwrap().unwrap();
    assert!(dir.try_lock(Sharing::Exclusive).unwrap().is_none());
    drop((shared, other));
    let exclusive = dir.try_lock(Sharing::Exclusive).unwrap().unwrap();
    assert!(dir.try_lock(Sharing::Shared).unwrap().is_none());
    drop(exclusive);
    assert!(dir.try_lock(Sharing::Shared).unwrap().is_some());
}

#[test]
fn a_message_lists_a_few_names() {
    let contents = |names: &[&str]| Contents(names.iter().map(Into::into).collect()).to_string();
    assert_eq!(contents(&["a"]), "`a`");
    assert_eq!(contents(&["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
}

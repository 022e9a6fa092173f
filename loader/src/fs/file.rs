//! Files in a [`Dir`]: read whole up to a bound, replaced whole, added to.
//!
//! Only regular files are used: a FIFO in the place of one is an error at once, and never waited for. What is
//! written is on disk when the call returns, and so is its name.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{FileType, Mode, OFlags, SeekFrom, fdatasync, openat, seek};
use rustix::io::pread;
use rustix::rand::{GetRandomFlags, getrandom};

use super::dir::{Dir, is_no_directory, single};
use super::walk::{failed, stat, sync};
use super::{FsError, call};
use crate::kernel::sys::gate;

/// How the name of a half-written file begins; sixteen hexadecimal digits follow, which nobody foresees.
const HALF: &str = ".half-";
const HALF_DIGITS: usize = 16;

const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR);
/// No link is followed, no FIFO waited for.
const CAREFULLY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// A regular file, whose every call passes the gate.
#[derive(Debug)]
pub(crate) struct RegularFile {
    file: File,
    path: PathBuf,
}

impl Dir {
    /// Reads a file; `None` where it is missing.
    ///
    /// # Errors
    /// It is no regular file, it has more than `most` bytes, or the kernel refuses.
    pub(crate) fn read(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, FsError> {
        let bytes = self.read_from(name, |_| 0, most.saturating_add(1))?;
        if bytes.as_ref().is_some_and(|bytes| bytes.len() as u64 > most) {
            return Err(FsError::TooLong { path: self.path().join(name), most });
        }
        Ok(bytes)
    }

    /// Reads the first `most` bytes of a file, or all of it where it has fewer; `None` where it is missing.
    ///
    /// # Errors
    /// It is no regular file, or the kernel refuses.
    pub(crate) fn read_start(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, FsError> {
        self.read_from(name, |_| 0, most)
    }

    /// Reads the last `most` bytes of a file, or all of it where it has fewer; `None` where it is missing.
    ///
    /// # Errors
    /// It is no regular file, or the kernel refuses.
    pub(crate) fn read_end(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, FsError> {
        self.read_from(name, |length| length.saturating_sub(most), most)
    }

    /// How long a file is; `None` where it is missing.
    ///
    /// # Errors
    /// It is no regular file, or the kernel refuses.
    pub(crate) fn length(&self, name: &str) -> Result<Option<u64>, FsError> {
        self.open_file(name, OFlags::RDONLY)?.map(|file| file.length()).transpose()
    }

    /// Reads at most `most` bytes from where `start` says, which is told the file's length.
    fn read_from(
        &self,
        name: &str,
        start: impl FnOnce(u64) -> u64,
        most: u64,
    ) -> Result<Option<Vec<u8>>, FsError> {
        let Some(mut file) = self.open_file(name, OFlags::RDONLY)? else {
            return Ok(None);
        };
        let length = file.length()?;
        let start = start(length);
        let expected = length.saturating_sub(start).min(most);
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        call("lseek(2)", || seek(&file.file, SeekFrom::Start(start)))
            .and_then(|_| Read::by_ref(&mut file).take(most).read_to_end(&mut bytes))
            .map_err(|error| failed("reading", &file.path, "read(2)", error))?;
        Ok(Some(bytes))
    }

    /// Writes a file whole or not at all: what has the name until then stays as it is until the new content is
    /// on disk.
    ///
    /// # Errors
    /// The kernel refuses, or `write` does.
    pub(crate) fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<RegularFile>) -> io::Result<()>,
    ) -> Result<(), FsError> {
        single(name.as_ref(), self.path())?;
        let half =
            half_name().map_err(|error| failed("writing", &self.path().join(name), "getrandom(2)", error))?;
        let written = self.write_new(&half, write).and_then(|()| self.rename(&half, self, name));
        if written.is_err() {
            // The first error is the one to report; `is_half` finds what stays.
            let _ = self.remove(&half);
        }
        written.and_then(|()| self.sync())
    }

    fn write_new(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<RegularFile>) -> io::Result<()>,
    ) -> Result<(), FsError> {
        let file = self.create_file(name, OFlags::WRONLY | OFlags::EXCL)?;
        let path = file.path.clone();
        let fail = |error| failed("writing", &path, "write(2)", error);
        let mut buffered = BufWriter::with_capacity(1 << 16, file);
        write(&mut buffered).map_err(fail)?;
        buffered.into_inner().map_err(|error| fail(error.into_error()))?.sync()
    }

    /// Adds a line to a file, which is made where it is missing. A line that somebody cut short ends before.
    ///
    /// # Errors
    /// It is no regular file, or the kernel refuses.
    pub(crate) fn append(&self, name: &str, line: &[u8]) -> Result<(), FsError> {
        let mut file = self.open_to_append(name)?;
        let mut text = Vec::with_capacity(line.len() + 2);
        if file.is_cut_short()? {
            text.push(b'\n');
        }
        text.extend(line);
        text.push(b'\n');
        file.write_all(&text).map_err(|error| failed("writing", &file.path, "write(2)", error))?;
        file.sync()
    }

    /// Makes sure that [`append`](Self::append) can add to a file, which is made where it is missing.
    ///
    /// # Errors
    /// It is no regular file, or the kernel refuses.
    pub(crate) fn appendable(&self, name: &str) -> Result<(), FsError> {
        self.open_to_append(name).map(drop)
    }

    fn open_to_append(&self, name: &str) -> Result<RegularFile, FsError> {
        let flags = OFlags::RDWR | OFlags::APPEND;
        if let Some(file) = self.open_file(name, flags)? {
            return Ok(file);
        }
        let file = self.create_file(name, flags)?;
        self.sync()?;
        Ok(file)
    }

    /// Waits until the names in the directory are on disk.
    pub(crate) fn sync(&self) -> Result<(), FsError> {
        sync(self, self.path())
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<RegularFile>, FsError> {
        let name = single(name.as_ref(), self.path())?;
        let path = self.path().join(name);
        match call("openat(2)", || openat(self, name, flags | CAREFULLY, Mode::empty())) {
            Ok(fd) => RegularFile::new(fd.into(), path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if is_no_file(&error) => Err(FsError::Kind { path, expected: "regular file" }),
            Err(error) => Err(failed("opening", &path, "openat(2)", error)),
        }
    }

    fn create_file(&self, name: &str, flags: OFlags) -> Result<RegularFile, FsError> {
        let path = self.path().join(name);
        let flags = flags | OFlags::CREATE | CAREFULLY;
        let fd = call("openat(2)", || openat(self, name, flags, OWNER_ONLY))
            .map_err(|error| failed("creating", &path, "openat(2)", error))?;
        RegularFile::new(fd.into(), path)
    }
}

impl RegularFile {
    fn new(file: File, path: PathBuf) -> Result<Self, FsError> {
        let found = stat(&file, &path)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(FsError::Kind { path, expected: "regular file" });
        }
        Ok(Self { file, path })
    }

    fn length(&self) -> Result<u64, FsError> {
        Ok(stat(&self.file, &self.path)?.st_size.cast_unsigned())
    }

    /// Its last line does not end.
    fn is_cut_short(&self) -> Result<bool, FsError> {
        let Some(last) = self.length()?.checked_sub(1) else {
            return Ok(false);
        };
        let mut byte = [0];
        call("pread64(2)", || pread(&self.file, &mut byte, last))
            .map_err(|error| failed("reading", &self.path, "pread64(2)", error))?;
        Ok(byte != *b"\n")
    }

    fn sync(&self) -> Result<(), FsError> {
        call("fdatasync(2)", || fdatasync(&self.file))
            .map_err(|error| failed("syncing", &self.path, "fdatasync(2)", error))
    }
}

impl Read for RegularFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        gate::enter("read(2)")?;
        self.file.read(into)
    }
}

impl Write for RegularFile {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        gate::enter("write(2)")?;
        self.file.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A name is that of a half-written file. Where its writer holds a lock, one that is found under the lock was
/// left by a writer that died.
pub(crate) fn is_half(name: &OsStr) -> bool {
    let digits = name.as_bytes().strip_prefix(HALF.as_bytes());
    digits.is_some_and(|digits| digits.len() == HALF_DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

fn half_name() -> io::Result<String> {
    let mut random = [0; HALF_DIGITS / 2];
    call("getrandom(2)", || getrandom(&mut random, GetRandomFlags::empty()))?;
    Ok(format!("{HALF}{:016x}", u64::from_ne_bytes(random)))
}

/// The kernel says so of a link, of a directory that is opened for writing, of a FIFO without a reader and of
/// a socket.
fn is_no_file(error: &io::Error) -> bool {
    is_no_directory(error)
        || error.kind() == ErrorKind::IsADirectory
        || error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
}

//! One run of a virtual machine, from boot to power-off, and what it says on its serial port.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::repository::{Failure, Result};

/// No machine runs longer. Boot and tests take half a minute where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(600);

/// - `no_timer_check`: an emulated timer that is late because the host is busy is no broken one.
/// - `rcu_expedited`: grace periods do not wait for the ticks of an emulated processor.
const KERNEL_ARGUMENTS: &str = "console=ttyS0 quiet panic=-1 no_timer_check rcupdate.rcu_expedited=1";

/// What came of a run.
#[derive(Default)]
pub(super) struct Said {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
    /// Everything that was said.
    pub(super) lines: Vec<String>,
}

/// Boots a kernel with an initramfs and waits until the machine is off.
///
/// # Errors
/// Where it does not come to its end in time.
pub(super) fn run(kernel: &Path, initramfs: &Path) -> Result<Said> {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1024"]);
    qemu.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"]);
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs).args(["-append", KERNEL_ARGUMENTS]);
    let child = qemu.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut machine = Machine(child.map_err(|error| Failure(format!("qemu-system-x86_64: {error}")))?);
    let serial = machine.0.stdout.take().ok_or_else(|| Failure("qemu has no output".into()))?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut serial = BufReader::new(serial);
        let mut line = Vec::new();
        while serial.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    let end = Instant::now() + PATIENCE;
    let mut said = Said::default();
    let mut is_done = false;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                match line.split_once(' ') {
                    Some(("ok", _)) => said.passed += 1,
                    Some(("FAILED", test)) => said.failed.push(test.to_owned()),
                    _ if line == "everything was run" => is_done = true,
                    _ => {}
                }
                said.lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) if is_done => return Ok(said),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure("the machine stopped before its last test".into()));
            }
            Err(RecvTimeoutError::Timeout) => {
                return Err(Failure(format!("the machine was not done after {} s", PATIENCE.as_secs())));
            }
        }
    }
}

/// A running qemu; ended when it is dropped.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        // Only the process that `run` started.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

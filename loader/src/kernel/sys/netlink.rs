//! The door to netlink: one question, and the messages that answer it.
//!
//! A socket of this kind speaks of the network namespace of the thread that opened it, and of no other.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::retry_on_intr;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use super::gate;

/// Length of what stands before the body of every message: {length 4, kind 2, flags 2, sequence 4, port 4}.
const HEADER: usize = 16;
/// The kernel makes no message of a dump longer than this.
const LONGEST: usize = 32 << 10;

/// The kernel answers only where this is set.
const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;

/// What ends an answer that is an acknowledgement or an error, with the error's number.
const ERROR: u16 = 2;
/// What ends a dump, with an error's number.
const DONE: u16 = 3;

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Everything that there is.
    Dump,
    /// A deed, and whether it was done.
    Deed,
}

/// An open netlink socket of the family that tells of sockets.
#[derive(Debug)]
pub(crate) struct SockDiag {
    socket: OwnedFd,
    sequence: u32,
}

impl SockDiag {
    /// Opens one for the network namespace of this thread.
    pub(crate) fn open() -> io::Result<Self> {
        gate::enter("socket(2)")?;
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let socket = socket_with(family, SocketType::RAW, flags, Some(SOCK_DIAG))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Asks the kernel, and shows the body of each message of its answer to `each`.
    pub(crate) fn ask(
        &mut self,
        kind: u16,
        asked: Asked,
        body: &[u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let flags = match asked {
            Asked::Dump => REQUEST | DUMP,
            Asked::Deed => REQUEST | ACKNOWLEDGE,
        };
        gate::enter("sendto(2)")?;
        gate::enter("recvfrom(2)")?;
        #[cfg(test)]
        if gate::Script::current().and_then(|script| script.twin()).is_some() {
            // The twin has no sockets.
            return Ok(());
        }
        let message = message(kind, flags, self.sequence, body);
        let kernel = SocketAddrNetlink::new(0, 0);
        retry_on_intr(|| sendto(&self.socket, &message, SendFlags::empty(), &kernel))?;
        let mut buffer = vec![0; LONGEST];
        loop {
            // The whole length is told where it is longer than the buffer.
            let (_, length) = retry_on_intr(|| recv(&self.socket, &mut *buffer, RecvFlags::TRUNC))?;
            let received = buffer.get(..length).ok_or(io::ErrorKind::FileTooLarge)?;
            if read(received, self.sequence, each)? == Rest::Nothing {
                return Ok(());
            }
        }
    }
}

/// Whether more of an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Something,
    Nothing,
}

fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend([0; 4]);
    message.extend(body);
    message
}

/// Shows what was received at once to `each`; answers to earlier questions are passed over.
fn read(mut received: &[u8], sequence: u32, each: &mut dyn FnMut(&[u8])) -> io::Result<Rest> {
    while let Some((length, kind, of)) = header(received) {
        let body = received.get(HEADER..length).ok_or(io::ErrorKind::InvalidData)?;
        // A message begins at the next multiple of four.
        received = received.get(length.next_multiple_of(4)..).unwrap_or_default();
        if of != sequence {
            continue;
        }
        match kind {
            ERROR | DONE => {
                let error = body.first_chunk().map_or(0, |number| i32::from_ne_bytes(*number));
                return match error {
                    0 => Ok(Rest::Nothing),
                    error => Err(io::Error::from_raw_os_error(error.saturating_neg())),
                };
            }
            _ => each(body),
        }
    }
    Ok(Rest::Something)
}

/// Length, kind and sequence of the message that bytes begin with.
fn header(bytes: &[u8]) -> Option<(usize, u16, u32)> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?);
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let sequence = u32::from_ne_bytes(*bytes.get(8..)?.first_chunk()?);
    Some((usize::try_from(length).ok()?, kind, sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of messages, and what comes of them.
    fn shown(received: &[Vec<u8>]) -> (Vec<Vec<u8>>, Result<Rest, Option<i32>>) {
        let mut shown = Vec::new();
        let rest = read(&received.concat(), 7, &mut |body| shown.push(body.to_vec()));
        (shown, rest.map_err(|error| error.raw_os_error()))
    }

    #[test]
    fn an_answer_goes_on_until_it_says_that_it_is_done() {
        let [one, two] = [[1; 4], [2; 4]].map(|body| message(20, 2, 7, &body));
        let both = vec![vec![1; 4], vec![2; 4]];
        assert_eq!(shown(&[one.clone(), two.clone()]), (both.clone(), Ok(Rest::Something)));
        assert_eq!(shown(&[one, two, message(DONE, 2, 7, &[0; 4])]), (both, Ok(Rest::Nothing)));
    }

    #[test]
    fn what_answers_an_earlier_question_is_passed_over() {
        let earlier = message(20, 2, 6, &[1; 4]);
        let refused = message(ERROR, 0, 6, &(-1_i32).to_ne_bytes());
        assert_eq!(shown(&[earlier, refused]), (vec![], Ok(Rest::Something)));
    }

    #[test]
    fn an_error_is_the_kernels_own() {
        let code = |kind, number: i32| message(kind, 0, 7, &number.to_ne_bytes());
        assert_eq!(shown(&[code(ERROR, 0)]).1, Ok(Rest::Nothing));
        assert_eq!(shown(&[code(ERROR, -libc::ENOENT)]).1, Err(Some(libc::ENOENT)));
        assert_eq!(shown(&[code(DONE, -libc::EPERM)]).1, Err(Some(libc::EPERM)));
    }

    #[test]
    fn nothing_that_is_cut_off_is_read_beyond_its_end() {
        let whole = message(20, 2, 7, &[1; 8]);
        for length in HEADER..whole.len() {
            assert_eq!(shown(&[whole[..length].to_vec()]).1, Err(None), "{length}");
        }
    }
}

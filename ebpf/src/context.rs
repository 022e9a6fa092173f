//! The context of a socket address hook: what its fields are, and the socket behind it.
#![expect(unsafe_code, reason = "the kernel gives the context as a raw pointer")]

use core::ffi::c_void;
use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::bindings::{bpf_sock, bpf_sock_addr};
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::kernel::Destination;
use lrpc_schema::records::{ip4_of_words, mapped_words};

/// One run of a program. The verifier wants every field of the context read and written whole and at its
/// own offset, hence the volatile accesses, which LLVM keeps as they are.
pub(crate) struct Context {
    sock_addr: *mut bpf_sock_addr,
}

impl Context {
    #[inline(always)]
    pub(crate) fn new(context: &SockAddrContext) -> Self {
        Self { sock_addr: context.sock_addr }
    }

    /// The IPv4 address and port that the hook is asked about.
    #[inline(always)]
    pub(crate) fn destination4(&self) -> Destination {
        // SAFETY: the kernel's context is valid for the whole run of the program.
        let ip4 = unsafe { read_volatile(&raw const (*self.sock_addr).user_ip4) };
        Destination { address: mapped_words(ip4), port: self.port() }
    }

    /// The IPv6 address and port that the hook is asked about.
    #[inline(always)]
    pub(crate) fn destination6(&self) -> Destination {
        let words = self.ip6();
        // SAFETY: the kernel lets both halves of the address be read whole.
        let high = unsafe { read_volatile(words) };
        // SAFETY: as above; the address has two words.
        let low = unsafe { read_volatile(words.add(1)) };
        Destination { address: [high, low], port: self.port() }
    }

    /// Replaces the IPv4 address and the port; does nothing for an IPv6 address, which no decision gives for an IPv4
    /// one.
    #[inline(always)]
    pub(crate) fn set_destination4(&self, to: Destination) {
        if let Some(ip4) = ip4_of_words(to.address) {
            // SAFETY: the context is valid for the whole run, and the hook may write this field.
            unsafe { write_volatile(&raw mut (*self.sock_addr).user_ip4, ip4) };
            self.set_port(to.port);
        }
    }

    /// Replaces the IPv6 address and the port.
    #[inline(always)]
    pub(crate) fn set_destination6(&self, to: Destination) {
        let [high, low] = to.address;
        let words = self.ip6();
        // SAFETY: the kernel lets both halves of the address be written whole.
        unsafe { write_volatile(words, high) };
        // SAFETY: as above; the address has two words.
        unsafe { write_volatile(words.add(1), low) };
        self.set_port(to.port);
    }

    /// The IPv6 address, 8 bytes into the context, as two words.
    #[inline(always)]
    fn ip6(&self) -> *mut u64 {
        // SAFETY: the context is valid for the whole run of the program.
        unsafe { &raw mut (*self.sock_addr).user_ip6 }.cast()
    }

    #[inline(always)]
    fn port(&self) -> u32 {
        // SAFETY: the context is valid for the whole run of the program.
        unsafe { read_volatile(&raw const (*self.sock_addr).user_port) }
    }

    #[inline(always)]
    fn set_port(&self, port: u32) {
        // SAFETY: the context is valid for the whole run, and the hook may write this field.
        unsafe { write_volatile(&raw mut (*self.sock_addr).user_port, port) };
    }

    /// Whether the socket has a peer now: of TCP and UDP the state is then `TCP_ESTABLISHED`.
    #[inline(always)]
    pub(crate) fn is_established(&self) -> bool {
        const TCP_ESTABLISHED: u32 = 1;
        let socket: *const bpf_sock = self.socket().cast_const().cast();
        // SAFETY: the context has a socket, and its state may be read.
        unsafe { read_volatile(&raw const (*socket).state) == TCP_ESTABLISHED }
    }

    /// The socket's protocol number.
    #[inline(always)]
    pub(crate) fn protocol(&self) -> u32 {
        // SAFETY: the kernel's context is valid for the whole run of the program.
        unsafe { read_volatile(&raw const (*self.sock_addr).protocol) }
    }

    /// The socket, for helpers that take one.
    #[inline(always)]
    pub(crate) fn socket(&self) -> *mut c_void {
        // SAFETY: as above; the union is the padding of one pointer.
        unsafe { read_volatile(&raw const (*self.sock_addr).__bindgen_anon_1.sk) }.cast()
    }

    /// The context itself, for helpers that take it.
    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *mut c_void {
        self.sock_addr.cast()
    }
}

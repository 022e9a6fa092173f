//! The context of a socket address hook: what its fields are, and the socket behind it.
#![expect(unsafe_code, reason = "the kernel gives the context as a raw pointer")]

use core::ffi::c_void;
use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::bindings::bpf_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::kernel::Destination;

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

    /// The address that the hook is asked about.
    #[inline(always)]
    pub(crate) fn destination(&self) -> Destination {
        // SAFETY: the kernel's context is valid for the whole run of the program.
        let ip4 = unsafe { read_volatile(&raw const (*self.sock_addr).user_ip4) };
        // SAFETY: as above.
        let port = unsafe { read_volatile(&raw const (*self.sock_addr).user_port) };
        Destination { ip4, port }
    }

    /// Replaces that address.
    #[inline(always)]
    pub(crate) fn set_destination(&self, to: Destination) {
        // SAFETY: the context is valid for the whole run, and the hook may write this field.
        unsafe { write_volatile(&raw mut (*self.sock_addr).user_ip4, to.ip4) };
        // SAFETY: as above.
        unsafe { write_volatile(&raw mut (*self.sock_addr).user_port, to.port) };
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

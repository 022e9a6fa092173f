//! `cgroup/connect4`: TCP and connected UDP over IPv4, TCP fast open and the first subflow of MPTCP included.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::connect::{Verdict, connect};
use lrpc_schema::protocol::Protocol;

use crate::answer::{ALLOW, REFUSE};
use crate::context::Context;

#[cgroup_sock_addr(connect4)]
fn connect4(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    let Some(protocol) = Protocol::of_socket(context.protocol()) else {
        return ALLOW;
    };
    match connect(&context, protocol, context.destination4()) {
        Verdict::Pass => ALLOW,
        Verdict::Redirect(backend) => {
            context.set_destination4(backend);
            ALLOW
        }
        Verdict::Refuse(_) => REFUSE,
    }
}

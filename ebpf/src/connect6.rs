//! `cgroup/connect6`: TCP and connected UDP of an IPv6 socket, to IPv4-mapped addresses too.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::connect::{Verdict, connect};
use lrpc_schema::protocol::Protocol;

use crate::answer::{ALLOW, REFUSE};
use crate::context::Context;

#[cgroup_sock_addr(connect6)]
fn connect6(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    let Some(protocol) = Protocol::of_socket(context.protocol()) else {
        return ALLOW;
    };
    match connect(&context, protocol, context.destination6()) {
        Verdict::Pass => ALLOW,
        Verdict::Redirect(backend) => {
            context.set_destination6(backend);
            ALLOW
        }
        Verdict::Refuse(_) => REFUSE,
    }
}

//! Resolvers that ask a redirected name server.

use testkit::{Node, Pod, Spec};

use super::{FRONTENDS, Scene, Servers, compiled, mapped};
use crate::Test;
use crate::world::World;

pub(crate) const TESTS: &[Test] = &[
    ("programs_dig", dig),
    ("programs_glibc_resolver", glibc_resolver),
    ("programs_musl_resolver", musl_resolver),
    ("programs_go_resolver", go_resolver),
];

/// The name servers of a pod: one of a family, or both at once.
const NAMESERVERS: [&[&str]; 3] = [&FRONTENDS, &["169.254.20.10"], &["fd00:20::10"]];

/// dig compares the source of each answer with the address that it asked.
fn dig() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Dns);
    for transport in ["+tcp", "+notcp"] {
        let dig = |frontend: &str| {
            ["dig", "+short", "+tries=1", "+time=10", transport, &format!("@{frontend}"), "who.test"]
                .map(str::to_owned)
                .to_vec()
        };
        scene.hears_of_both(dig, |name, _| v4(name).to_owned());
    }
}

fn glibc_resolver() {
    resolver(|_| vec!["sh".into(), "-c".into(), "getent ahosts who.test | cut -d ' ' -f 1 | uniq".into()]);
}

/// musl asks every name server at once from one socket that is not connected, and compares the source of
/// each answer with those that it asked.
fn musl_resolver() {
    resolver(|world| vec![compiled(world, &["musl-gcc", "-static"], "resolve.c"), "who.test".into()]);
}

fn resolver(program: impl Fn(&World) -> Vec<String>) {
    let world = World::new();
    let node = world.node();
    let mut scene = Scene::new(&world, &node, Servers::Dns);
    let program = program(&world);
    let program: Vec<&str> = program.iter().map(String::as_str).collect();
    for nameservers in NAMESERVERS {
        scene.shop = asking(&node, nameservers);
        let heard = |when: &str, v4: &str| {
            let heard = scene.program(&program);
            let mut heard: Vec<&str> = heard.split_whitespace().collect();
            heard.sort_unstable();
            assert_eq!(heard, [v4, &mapped(v4)], "{when}: {nameservers:?}");
        };
        heard("before", v4("original"));
        scene.apply();
        heard("under the redirect", v4("backend"));
        scene.world.lrpc(&["unload"]).ends(0);
        heard("after", v4("original"));
    }
}

/// hey, an HTTP client in Go, says to which address it tried to connect.
fn go_resolver() {
    let world = World::new();
    let node = world.node();
    let mut scene = Scene::new(&world, &node, Servers::Dns);
    // Nobody listens there.
    for name in ["original", "backend"] {
        world.sandbox.add_address(&format!("{}/32", v4(name))).unwrap();
    }
    let ask = "GODEBUG=netdns=go hey -n 1 -c 1 -t 10 http://four.test:9/ | grep --only-matching 'dial tcp.*'";
    for nameservers in NAMESERVERS {
        scene.shop = asking(&node, nameservers);
        let said = |name| format!("dial tcp {}:9: connect: connection refused", v4(name));
        scene.hears(&["sh", "-c", ask], &said("original"), &said("backend"));
    }
}

fn asking(node: &Node<'_>, nameservers: &[&str]) -> Pod {
    node.pod(Spec { name: "asking", labels: "app: asking", nameservers, ..Spec::default() }).unwrap()
}

/// What a server with this name answers.
fn v4(name: &str) -> &'static str {
    if name == "original" { "192.0.2.1" } else { "192.0.2.2" }
}

//! A large cluster: 100,000 pods, of which 110 on the linked node, and 10,000 policies over 10,000 Services.

use std::fmt::Write;
use std::time::Instant;

use lrpc_linker::inventory::Builder;
use lrpc_linker::{Inventory, Linker};
use lrpc_schema::image::{Image, Policy};
use serde_json::json;

use super::world::*;

/// A world of `pods` pods, 110 to a node, and as many Services as policies, each policy with one pod on
/// every node at most.
fn world(policies: usize, pods: usize) -> (Image, String) {
    let policy = |number: usize| {
        let mut policy = if number.is_multiple_of(2) {
            let ip = std::net::Ipv4Addr::from(0xa9fe_0000 + u32::try_from(number).unwrap());
            address(&ip.to_string(), &["80/TCP"], &["8080/TCP"])
        } else {
            let mut policy = service(&[], &["8080/TCP"]);
            let lrpc_schema::image::Matcher::Service { name, .. } = &mut policy.frontend else { panic!() };
            *name = format!("s{number}");
            policy
        };
        policy.backend.selector = selector(&format!("app=x{}", number % 110));
        named(&format!("p{number}"), Policy { skip: false, ..policy })
    };
    let mut dump = String::from("{\"kind\":\"List\",\"items\":[");
    for number in 0..pods {
        let ip = std::net::Ipv4Addr::from(0x0a80_0000 + u32::try_from(number).unwrap());
        let pod = pod(&format!("pod{number}"), &[&ip.to_string()], &["8080/TCP http"]);
        let pod = with(pod, "/metadata/labels/app", format!("x{}", number % 110));
        let pod = with(pod, "/spec/nodeName", format!("n{}", number / 110));
        write!(dump, "{pod},").unwrap();
    }
    for number in 0..policies {
        let ip = std::net::Ipv4Addr::from(0x0a60_0000 + u32::try_from(number).unwrap());
        let svc =
            with(svc(&[&ip.to_string()], &["80/TCP http 8080"]), "/metadata/name", format!("s{number}"));
        write!(dump, "{svc},").unwrap();
    }
    let nodes: Vec<_> = (0..pods.div_ceil(110)).map(|number| node(&format!("n{number}"), &[])).collect();
    write!(dump, "{}]}}", json!(nodes).to_string().trim_matches(['[', ']'])).unwrap();
    (Image::seal((0..policies).map(policy).collect::<Vec<_>>(), None, None), dump)
}

fn read(dump: &str) -> Inventory {
    let mut builder = Builder::default();
    builder.add("dump", dump).unwrap();
    builder.build()
}

/// Every policy finds its one pod on every node, through the index as through a small world.
#[test]
fn each_node_gets_its_own_backends() {
    let (image, dump) = world(220, 330);
    let inventory = read(&dump);
    let linker = Linker::new(&image, &inventory, None);
    for node in 0..3 {
        let linked = linker.link(&format!("n{node}")).unwrap();
        assert_eq!(linked.map_set.rows().len(), 220);
        for row in linked.map_set.rows() {
            let [backend] = row.backends() else { panic!("{row:?}") };
            let number: usize = backend.pods[0].name.trim_start_matches("pod").parse().unwrap();
            assert_eq!(number / 110, node);
        }
    }
}

/// Parts can be linked on several threads, and end in any order.
#[test]
fn a_large_image_is_linked_in_parts() {
    let (image, dump) = world(5_000, 110);
    let inventory = read(&dump);
    let linker = Linker::new(&image, &inventory, None);
    let mut parts: Vec<_> = linker.parts("n0").unwrap().iter().map(|part| linker.link_part(part)).collect();
    assert!(parts.len() > 1);
    parts.reverse();
    let whole = linker.link("n0").unwrap();
    assert_eq!(linker.join(parts), whole);
    assert_eq!(whole.map_set.rows().len(), 5_000);
    assert!(linker.parts("elsewhere").is_err());
}

/// Prints what the large world costs.
#[test]
#[ignore = "a measurement: run it with --release -- --ignored --nocapture"]
fn timings() {
    let (image, dump) = world(10_000, 100_000);
    let start = Instant::now();
    let inventory = read(&dump);
    println!("inventory of 100,000 pods, {} MB: {:?}", dump.len() >> 20, start.elapsed());
    let start = Instant::now();
    let linked = lrpc_linker::link(&image, &inventory, "n7", None).unwrap();
    println!("link of 10,000 policies for one node: {:?}", start.elapsed());
    let start = Instant::now();
    println!("digest {} in {:?}", linked.map_set.digest(), start.elapsed());
    let linker = Linker::new(&image, &inventory, None);
    let start = Instant::now();
    for node in inventory.nodes().take(20) {
        linker.link(&node.name).unwrap();
    }
    println!("each further node: {:?}", start.elapsed() / 20);
}

/// Prints what 100,000 policies of one port and one shared pod cost, each with a finding.
#[test]
#[ignore = "a measurement: run it with --release -- --ignored --nocapture"]
fn one_port_timings() {
    let policies = (0..100_000).map(|number| {
        let ip = std::net::Ipv4Addr::from(0xac10_0000 + number);
        let policy = address(&ip.to_string(), &["80/TCP"], &["8080/TCP"]);
        named(&format!("p{number}"), Policy { skip: false, ..policy })
    });
    let image = Image::seal(policies.collect::<Vec<_>>(), None, None);
    let dump = format!("[{},{}]", node("n0", &[]), pod("proxy", &["10.0.0.1"], &["8080/TCP"]));
    let inventory = read(
        &json!({"kind": "List", "items": serde_json::from_str::<serde_json::Value>(&dump).unwrap()})
            .to_string(),
    );
    let linker = Linker::new(&image, &inventory, None);
    for threads in [1, 2] {
        for _ in 0..6 {
            let start = Instant::now();
            let parts = linker.parts("n0").unwrap();
            let linked = std::thread::scope(|scope| {
                let shares = parts.chunks(parts.len().div_ceil(threads)).map(|share| {
                    scope.spawn(|| share.iter().map(|part| linker.link_part(part)).collect::<Vec<_>>())
                });
                let shares: Vec<_> = shares.collect();
                linker.join(shares.into_iter().flat_map(|share| share.join().unwrap()))
            });
            let (rows, findings) = (linked.map_set.rows().len(), linked.findings.len());
            println!("{rows} rows, {findings} findings on {threads} threads: {:?}", start.elapsed());
        }
    }
}

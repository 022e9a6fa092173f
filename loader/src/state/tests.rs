use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, PolicyName, Port, Protocol};

use super::*;
use lrpc_linker::mapset::{self, Backend, Frontend, PodRef, ServiceName};

fn event(generation: u64) -> Event {
    Event {
        generation,
        at: "2026-11-23T12:00:00Z".to_owned(),
        action: Action::Apply,
        image: Digest::new([1; 32]),
        digest: Digest::new([2; 32]),
        result: Outcome::Ok,
        resident: false,
        error: None,
    }
}

#[test]
fn history_survives_a_line_that_was_cut_short() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::new(directory.path().join("new"));
    assert_eq!(state.history().unwrap(), []);
    state.remember(&event(1)).unwrap();
    let mut file = state.open_history().unwrap();
    file.write_all(b"{\"generation\":2,\n").unwrap();
    state.remember(&event(3)).unwrap();
    assert_eq!(state.history().unwrap(), [event(1), event(3)]);
}

#[test]
fn rows_of_another_life_are_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::new(directory.path().to_owned());
    let pod = |name: &str| PodRef { namespace: "default".into(), name: name.into(), uid: None };
    let row = Row {
        frontend: Frontend {
            address: [10, 96, 0, 10].into(),
            port: Port::new(53).unwrap(),
            protocol: Protocol::Udp,
        },
        policy: PolicyName { namespace: "default".into(), name: "dns".into() },
        service: Some(ServiceName { namespace: "default".into(), name: "kube-dns".into() }),
        outcome: mapset::Outcome::Redirect(vec![Backend {
            address: [10, 244, 0, 1].into(),
            port: Port::new(53).unwrap(),
            pods: vec![pod("one"), pod("two")],
        }]),
        skip_flag: true,
        skip: [pod("one")].into(),
        fallback: Fallback::Original,
        clients: Clients::Pods,
        client_pods: Arc::default(),
    };
    state.keep_rows(7, Digest::new([1; 32]), std::slice::from_ref(&row)).unwrap();
    assert_eq!(state.rows(7, Digest::new([1; 32])), [ShownRow::from(&row)]);
    assert_eq!(state.rows(7, Digest::new([2; 32])), []);
}

#[test]
fn images_and_rows_go_with_their_generation() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::new(directory.path().to_owned());
    let image = Image::seal(vec![], None, None);
    for generation in [1, 2] {
        state.prepare(generation, &image, Digest::new([1; 32]), &[]).unwrap();
    }
    state.prune(&[(2, image.digest())]);
    assert!(!state.rows_file(1).exists() && state.rows_file(2).exists());
    assert_eq!(state.image(&image.digest()).as_deref(), Some(image.bytes()));
    state.prune(&[]);
    assert!(!state.rows_file(2).exists() && state.image(&image.digest()).is_none());
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = StateDir::new(file.clone()).remember(&event(1)).unwrap_err();
    assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
}

//! Versions count up, the log can't be altered unseen, and the index is what the log says.

#[path = "../../bundle/tests/fixture/mod.rs"]
mod fixture;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_bundle::{Bundle, BundleContents};
use bellwether_registry::{Registered, Registry, RegistryError, resolve};

const NOW: &str = "2026-11-21T09:30:00Z";

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn named(name: &str) -> BundleContents {
    BundleContents { name: name.to_owned(), ..fixture::contents() }
}

fn register(registry: &Registry, name: &str) -> Registered {
    registry.register(&named(name), NOW, "ann").expect("registers")
}

fn registry_of(names: &[&str]) -> (tempfile::TempDir, Registry) {
    let folder = temporary();
    let registry = Registry::open(&folder.path().join("models")).expect("opens");
    for name in names {
        register(&registry, name);
    }
    (folder, registry)
}

fn alter(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("reads");
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).expect("writes");
}

#[test]
fn versions_count_up_in_each_name() {
    let (folder, registry) = registry_of(&[]);
    for (name, version) in [("demo", 1), ("demo", 2), ("other", 1), ("demo", 3)] {
        let registered = register(&registry, name);
        assert_eq!((registered.name.as_str(), registered.version), (name, version));
        assert_eq!(registered.path, folder.path().join("models").join(name).join(version.to_string()));
        assert_eq!(Bundle::open(&registered.path).expect("opens").digest(), &registered.digest);
    }
    let versions = registry.versions("demo").expect("reads");
    assert_eq!(versions.iter().map(|entry| entry.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((versions[0].registered_at.as_str(), versions[0].registered_by.as_str()), (NOW, "ann"));
    assert_eq!(registry.versions("none").expect("reads"), []);
    assert_eq!(registry.verify_audit().expect("verifies"), 4);
}

#[test]
fn registrations_at_the_same_time_get_different_versions() {
    let folder = temporary();
    let versions: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| register(&Registry::open(folder.path()).expect("opens"), "demo").version))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("registers")).collect()
    });
    assert_eq!(versions.into_iter().collect::<BTreeSet<u32>>(), (1..=6).collect());
    let registry = Registry::open(folder.path()).expect("opens");
    assert_eq!(registry.versions("demo").expect("reads").len(), 6);
    assert_eq!(registry.verify_audit().expect("verifies"), 6);
}

/// A reader beside a writer never sees half an index, a log without its index, or a version that is not there.
#[test]
fn the_index_is_replaced_whole() {
    let (folder, registry) = registry_of(&["demo"]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut n_reads = 0;
            while !done.load(Ordering::Relaxed) || n_reads == 0 {
                let newest = registry.versions("demo").expect("reads").last().expect("one at least").version;
                let resolved = resolve(&folder.path().join("models/demo")).expect("resolves");
                assert!(resolved.join("manifest.json").exists(), "{newest}");
                registry.verify_audit().expect("verifies");
                n_reads += 1;
            }
        });
        for _ in 0..5 {
            register(&registry, "demo");
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("reads");
    });
    let left = fs::read_dir(folder.path().join("models")).expect("lists");
    let names: BTreeSet<_> = left.map(|entry| entry.expect("lists").file_name().into_string().expect("text")).collect();
    assert_eq!(names, [".lock", "audit.jsonl", "demo", "index.json"].map(str::to_owned).into());
}

#[test]
fn every_altered_byte_of_the_log_and_every_cut_is_found() {
    let (folder, registry) = registry_of(&["demo", "other", "demo"]);
    let path = folder.path().join("models/audit.jsonl");
    let bytes = fs::read(&path).expect("reads");
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << (at % 7);
        fs::write(&path, &altered).expect("writes");
        assert!(registry.verify_audit().is_err(), "byte {at}");
        fs::write(&path, &bytes[..at]).expect("writes");
        assert!(registry.verify_audit().is_err(), "cut to {at}");
    }
    fs::write(&path, &bytes).expect("writes");
    assert_eq!(registry.verify_audit().expect("verifies"), 3);
    fs::remove_file(&path).expect("removes");
    assert!(registry.verify_audit().is_err());
}

#[test]
fn a_broken_log_or_index_says_where_and_stops_registration() {
    let cases = [
        ("audit.jsonl", "\"ann\"", "\"eve\"", "audit.jsonl, line 2: it follows a line with SHA-256"),
        ("audit.jsonl", "\"version\":1", "\"version\":\"1\"", "audit.jsonl, line 1: it is no audit line"),
        ("audit.jsonl", "{\"prev", "{ \"prev", "audit.jsonl, line 1: it is spelled in another way"),
        ("index.json", "\"ann\"", "\"eve\"", "index.json and audit.jsonl disagree: the index lists other versions"),
        ("index.json", "\"n_audit_lines\": 2", "\"n_audit_lines\": 3", "the index knows 3 lines, the log has 2"),
        ("index.json", "\"n_audit_lines\": 2", "\"n_audit_lines\": 1", "line 1 has SHA-256"),
        ("index.json", "\"format\": 1", "\"format\": 2", "index.json has format 2; this release reads 1"),
    ];
    for (file, from, to, message) in cases {
        let (folder, registry) = registry_of(&["demo", "demo"]);
        alter(&folder.path().join("models").join(file), from, to);
        let found = registry.verify_audit().expect_err(message).to_string();
        assert!(found.contains(message), "`{found}` lacks `{message}`");
        assert_eq!(registry.register(&named("demo"), NOW, "ann").expect_err(message).to_string(), found);
        assert!(!folder.path().join("models/demo/3").exists());
    }
    let (folder, registry) = registry_of(&["demo", "demo"]);
    fs::remove_file(folder.path().join("models/index.json")).expect("removes");
    assert!(matches!(registry.verify_audit(), Err(RegistryError::Disagree(_))));
}

/// After a crash between the log and the index, the log goes on where the index ends.
#[test]
fn the_next_registration_brings_a_stale_index_up_to_date() {
    let (folder, registry) = registry_of(&["demo"]);
    let index = folder.path().join("models/index.json");
    let stale = fs::read(&index).expect("reads");
    register(&registry, "demo");
    fs::write(&index, stale).expect("writes");
    assert_eq!(registry.verify_audit().expect("verifies"), 2);
    assert_eq!(register(&registry, "demo").version, 3);
    assert_eq!(registry.versions("demo").expect("reads").len(), 3);
}

/// After a crash between the bundle and the log, the number is not used again; what is half a bundle goes.
#[test]
fn a_folder_without_a_line_in_the_log_keeps_its_number() {
    let (folder, registry) = registry_of(&["demo"]);
    let unfinished = folder.path().join("models/demo/.bundle-a1B2c3/figures");
    fs::create_dir_all(&unfinished).expect("makes");
    fs::create_dir(folder.path().join("models/demo/2")).expect("makes");
    assert_eq!(register(&registry, "demo").version, 3);
    assert!(!unfinished.parent().expect("a parent").exists());
    assert_eq!(resolve(&folder.path().join("models/demo")).expect("resolves"), folder.path().join("models/demo/3"));
}

#[test]
fn what_is_refused_leaves_nothing() {
    let (folder, registry) = registry_of(&[]);
    let mut bad = named("demo");
    bad.min_coverage = 2.0;
    assert!(matches!(registry.register(&bad, NOW, "ann"), Err(RegistryError::Bundle(_))));
    assert!(matches!(registry.register(&named("../up"), NOW, "ann"), Err(RegistryError::Bundle(_))));
    for now in ["", "today", "2026-11-21", "2026-11-21T09:30:00", "2026-13-21T09:30:00Z", "2026-11-21 09:30:00Z"] {
        assert!(matches!(registry.register(&named("demo"), now, "ann"), Err(RegistryError::Now(_))), "{now}");
    }
    for actor in ["", " ", "a\nb", &"a".repeat(257)] {
        assert!(matches!(registry.register(&named("demo"), NOW, actor), Err(RegistryError::Actor(_))), "{actor:?}");
    }
    assert!(!folder.path().join("models/demo").exists());
    assert_eq!(registry.verify_audit().expect("verifies"), 0);
}

#[test]
fn a_models_folder_tells_what_it_holds() {
    let (folder, registry) = registry_of(&["demo", "demo", "other"]);
    let versions: Vec<(String, usize)> =
        registry.bundles().expect("reads").into_iter().map(|(name, versions)| (name, versions.len())).collect();
    assert_eq!(versions, [("demo".to_owned(), 2), ("other".to_owned(), 1)]);
    let existing = Registry::existing(&folder.path().join("models")).expect("it is one");
    assert_eq!(existing.versions("demo").expect("reads"), registry.versions("demo").expect("reads"));
    let none = Registry::existing(folder.path()).expect_err("it is none").to_string();
    assert!(none.ends_with("it has no index.json"), "{none}");
}

#[test]
fn a_bundle_or_a_name_resolves_and_nothing_else() {
    let (folder, _) = registry_of(&["demo", "demo", "other"]);
    let models = folder.path().join("models");
    for (given, meant) in [
        ("demo", Some("demo/2")),
        ("demo/1", Some("demo/1")),
        ("demo/", Some("demo/2")),
        ("demo@1", Some("demo/1")),
        ("demo@2", Some("demo/2")),
        ("demo@9", None),
        ("demo@latest", None),
        ("none", None),
    ] {
        assert_eq!(resolve(&models.join(given)).ok(), meant.map(|meant| models.join(meant)), "{given}");
    }
    let refused = |path: &Path| resolve(path).expect_err("is no bundle").to_string();
    assert!(refused(&models).ends_with("the models folder has `demo`, `other`"));
    assert!(refused(folder.path()).ends_with("there is no index.json above it"));
    assert!(refused(&models.join("none")).ends_with("there is no such folder"));
    fs::create_dir(models.join("empty")).expect("makes");
    assert!(refused(&models.join("empty")).ends_with("the models folder has `demo`, `other`"));
}

/// A bundle apart from any registry is good by itself.
#[test]
fn a_version_that_was_replaced_is_refused() {
    let (folder, registry) = registry_of(&["demo"]);
    let apart = folder.path().join("apart");
    let mut other = named("demo");
    other.min_coverage = 0.0;
    bellwether_bundle::write(&other, &apart).expect("writes");
    assert_eq!(resolve(&apart).expect("resolves"), apart);
    let path = register(&registry, "demo").path;
    fs::remove_dir_all(&path).expect("removes");
    fs::rename(&apart, &path).expect("moves");
    for given in [path.as_path(), path.parent().expect("a parent")] {
        assert!(matches!(resolve(given), Err(RegistryError::Replaced { .. })));
    }
}

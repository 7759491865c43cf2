//! The invariants of docs/ARCHITECTURE.md that manifests and source text can break.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Which crate may use which, by the design.
const DESIGNED: [(&str, &[&str]); 11] = [
    ("core", &[]),
    ("onnx", &["core"]),
    ("health", &["core"]),
    ("evaluate", &["core"]),
    ("learn", &["core"]),
    ("bundle", &["core", "onnx", "health"]),
    ("score", &["bundle"]),
    ("registry", &["bundle"]),
    ("book", &["core", "health", "evaluate"]),
    ("simulate", &["book"]),
    ("report", &["core", "evaluate", "registry", "health"]),
];

/// What the design lets a crate reach by way of another and it names itself, with the reason.
const NAMED_TOO: [(&str, &str, &str); 4] = [
    ("score", "core", "its API is matrices, schemas and statuses"),
    ("score", "onnx", "kernels are compiled from the graph's bytes"),
    ("registry", "core", "versions are named by digests"),
    ("simulate", "core", "days, and progress"),
];

/// Which crate alone may name a family of libraries.
const OWNERS: [(&str, &str); 5] =
    [("polars", "book"), ("linfa", "learn"), ("smartcore", "learn"), ("ndarray", "learn"), ("tract", "score")];

/// What scoring must not drag along.
const HEAVY: [&str; 3] = ["polars", "linfa", "smartcore"];

const MAX_LINES: usize = 600;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the package stands in the workspace")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The workspace's packages, as resolved for this machine.
fn metadata() -> Metadata {
    let version = Command::new(env!("CARGO")).arg("-vV").output().expect("cargo starts");
    let version = String::from_utf8(version.stdout).expect("cargo writes UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo tells its host");
    // Without the filter, libraries of other systems would have to be here too.
    let options = ["--frozen", "--filter-platform", host].map(str::to_owned);
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).other_options(options);
    command.exec().expect("the workspace has metadata")
}

/// A package's name without `bellwether-`, where it is one of ours.
fn own_name(name: &str) -> Option<&str> {
    name.strip_prefix("bellwether-")
}

/// Each of our packages by name, with the packages that it names in its manifest.
fn named_by(metadata: &Metadata, kinds: &[DependencyKind]) -> BTreeMap<String, BTreeSet<String>> {
    let named = |package: &Package| {
        let of_kind = package.dependencies.iter().filter(|dependency| kinds.contains(&dependency.kind));
        of_kind.map(|dependency| dependency.name.clone()).collect()
    };
    let own = metadata.workspace_packages().into_iter();
    own.filter_map(|package| Some((own_name(&package.name)?.to_owned(), named(package)))).collect()
}

#[test]
fn crates_use_each_other_as_designed() {
    let named = named_by(&metadata(), &[DependencyKind::Normal]);
    let mut broken = Vec::new();
    let mut unused: BTreeSet<(&str, &str)> = NAMED_TOO.iter().map(|&(from, to, _)| (from, to)).collect();
    for (from, to) in &named {
        let designed = DESIGNED.iter().find(|(name, _)| name == from).map(|(_, to)| *to);
        for to in to.iter().filter_map(|to| own_name(to)) {
            let by_design = designed.is_some_and(|designed| designed.contains(&to));
            let by_reason = unused.remove(&(from.as_str(), to)) || by_design;
            // The binary, tests and benches are no layer: they may use any crate.
            if !by_reason && !["cli", "tests", "benches"].contains(&from.as_str()) {
                broken.push(format!("{from} -> {to}"));
            }
        }
    }
    assert!(broken.is_empty(), "not in the design: {broken:?}");
    assert!(unused.is_empty(), "there is a reason for what no crate does: {unused:?}");
    let layers: BTreeSet<&str> = DESIGNED.iter().map(|(name, _)| *name).chain(["cli", "tests", "benches"]).collect();
    let found: BTreeSet<&str> = named.keys().map(String::as_str).collect();
    assert_eq!(found, layers, "a crate has no place in the design, or the design names one that is not there");
}

#[test]
fn nothing_uses_the_binary_tests_or_benches() {
    let every_kind = [DependencyKind::Normal, DependencyKind::Development, DependencyKind::Build];
    for (from, named) in named_by(&metadata(), &every_kind) {
        for top in ["bellwether-cli", "bellwether-tests", "bellwether-benches"] {
            assert!(!named.contains(top), "{from} -> {top}");
        }
    }
}

#[test]
fn scoring_cannot_reach_the_heavy_libraries() {
    let metadata = metadata();
    let resolved = metadata.resolve.as_ref().expect("metadata was resolved");
    let node_of: BTreeMap<&PackageId, _> = resolved.nodes.iter().map(|node| (&node.id, node)).collect();
    let score = metadata.packages.iter().find(|package| *package.name == "bellwether-score").expect("it is there");
    let mut reached = BTreeSet::from([&score.id]);
    let mut to_visit = vec![&score.id];
    while let Some(id) = to_visit.pop() {
        for dependency in &node_of[id].deps {
            let is_normal = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if is_normal && reached.insert(&dependency.pkg) {
                to_visit.push(&dependency.pkg);
            }
        }
    }
    let names: BTreeSet<&str> = reached.iter().map(|id| metadata[*id].name.as_str()).collect();
    assert!(names.contains("tract-onnx") && names.contains("bellwether-core"), "the walk found {names:?}");
    let heavy: Vec<_> = names.iter().filter(|name| HEAVY.iter().any(|heavy| name.starts_with(heavy))).collect();
    assert!(heavy.is_empty(), "{heavy:?}");
}

#[test]
fn a_heavy_library_is_named_by_its_own_crate_alone() {
    let every_kind = [DependencyKind::Normal, DependencyKind::Development, DependencyKind::Build];
    for (from, named) in named_by(&metadata(), &every_kind) {
        for (family, owner) in OWNERS {
            let strays: Vec<_> = named.iter().filter(|name| name.starts_with(family) && from != owner).collect();
            assert!(strays.is_empty(), "{from} names {strays:?}, which {owner} hides");
        }
    }
}

#[test]
fn every_library_is_in_the_one_table_with_its_defaults_off_and_a_reason() {
    let manifest = read("Cargo.toml");
    let (_, table) = manifest.split_once("[workspace.dependencies]\n").expect("there is the table");
    let mut n_libraries = 0;
    let mut above = "";
    for line in table.lines().take_while(|line| !line.starts_with('[')) {
        let is_library = line.contains('=') && !line.starts_with('#') && !line.contains("path = ");
        if is_library {
            n_libraries += 1;
            assert!(line.contains("default-features = false"), "defaults are on: {line}");
            let says_why = line.contains("} # ") || above.starts_with("# ");
            assert!(says_why, "no reason at the line or above it: {line}");
        }
        above = line;
    }
    assert!(n_libraries > 20, "the table was not found whole: {n_libraries} libraries");
}

#[test]
fn crates_take_libraries_from_the_one_table() {
    // `fuzz` is a workspace of its own, whose compiler flags must not reach the others'.
    let manifests = tracked(|path| path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/"));
    assert!(manifests.len() >= DESIGNED.len(), "{manifests:?}");
    for path in manifests {
        let manifest = read(&path);
        let sections = manifest.split("\n[").filter(|section| {
            let title = section.split(']').next().unwrap_or_default();
            title.ends_with("dependencies")
        });
        for line in sections.flat_map(|section| section.lines().skip(1)).filter(|line| line.contains('=')) {
            let from_table = line.contains("workspace = true") || line.starts_with('#');
            assert!(from_table, "{path} has a version of its own: {line}");
        }
    }
}

/// Files that git knows, or would know of if they were added, for which `wanted` says so.
fn tracked(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git starts");
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let list = String::from_utf8(list.stdout).expect("file names are UTF-8");
    // A file that was deleted is listed until the next commit.
    list.lines().filter(|path| wanted(path) && root().join(path).is_file()).map(str::to_owned).collect()
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "rs")
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    // Put together here, so that this file has none of them.
    let words =
        [("#[al", "low("), ("#![al", "low("), ("to", "do!("), ("unimple", "mented!("), ("db", "g!("), ("#[ig", "nore")];
    let mut found = Vec::new();
    for path in tracked(is_rust) {
        let text = read(&path);
        for word in words.map(|(start, end)| format!("{start}{end}")) {
            let lines = text.lines().enumerate().filter(|(_, line)| line.contains(&word));
            found.extend(lines.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn files_are_short_enough_to_be_read() {
    let too_long = |path: &String| read(path).lines().count() > MAX_LINES;
    let long: Vec<String> = tracked(is_rust).into_iter().filter(too_long).collect();
    assert!(long.is_empty(), "more than {MAX_LINES} lines: {long:?}");
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    let mut found = Vec::new();
    for path in tracked(|_| true) {
        // What is no text names no place.
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        let may_be_temporary = path.split('/').any(|part| part == "tests");
        for (at, line) in text.lines().enumerate() {
            let machine = ["root", "work", "home"].into_iter().chain((!may_be_temporary).then_some("tmp"));
            if machine.into_iter().any(|top| names_place(line, top)) {
                found.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Whether `line` has an absolute path below the folder `top`.
fn names_place(line: &str, top: &str) -> bool {
    let place = format!("/{top}/");
    line.match_indices(&place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-~/})]*$".contains(c))
    })
}

#[test]
fn a_place_is_told_from_a_part_of_another_path() {
    for (line, is_place) in [
        ("see /attic/main", true),
        ("\"/attic/main\"", true),
        ("../attic/main", false),
        ("$HOME/attic/main", false),
        ("${x}/attic/main", false),
        ("/attics/a", false),
        ("target/attic/a", false),
    ] {
        assert_eq!(names_place(line, "attic"), is_place, "{line}");
    }
}

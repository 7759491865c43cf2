//! What is written is what is read, and equal contents are equal bytes.

mod fixture;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bellwether_bundle::{Bundle, BundleContents, BundleError, ParityReasons, write};
use bellwether_core::{
    Calibration, CohortPolicy, Digest, Encoding, InputKind, LevelPolicy, RawColumn, RawTable, RawValues, TextColumn,
};
use bellwether_onnx::decode;
use fixture::{CHURN, EXPANSION, contents};

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Every file below `root` by its relative path.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).expect("lists") {
        let entry = entry.expect("lists");
        let name = entry.file_name().into_string().expect("text");
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).expect("reads"));
        }
    }
    found
}

#[test]
fn what_is_written_is_what_is_read() {
    let (folder, contents) = (temporary(), contents());
    let path = folder.path().join("bundle");
    let digest = write(&contents, &path).expect("writes");
    let bundle = Bundle::open(&path).expect("opens");
    assert_eq!(bundle.digest(), &digest);
    assert_eq!(bundle.name(), contents.name);
    assert_eq!(bundle.schema(), &contents.encoding.schema().expect("a schema"));
    assert_eq!(bundle.encoding(), &contents.encoding);
    assert_eq!(bundle.scorecard(), &contents.scorecard);
    assert_eq!(bundle.readiness(), contents.readiness.as_ref());
    assert_eq!(bundle.revenue(), contents.revenue.as_ref());
    assert_eq!(bundle.background(), contents.background.as_ref());
    assert_eq!(bundle.targets(), contents.targets);
    assert_eq!(bundle.min_coverage(), contents.min_coverage);
    assert_eq!(bundle.parity(), &contents.parity);
    assert_eq!(bundle.provenance(), &contents.provenance);
    assert_eq!(bundle.evaluation(), &contents.evaluation);
    assert_eq!(bundle.book_toml(), contents.book_toml);
    assert_eq!(bundle.manifest().schema_digest, bundle.schema().digest());
    for (target, model) in bundle.targets().iter().zip(bundle.models()) {
        assert_eq!(&decode(&target.onnx).expect("decodes").model, model);
    }
    let rows = bundle.parity().matrix().expect("finite or missing");
    assert!(rows.value(2, 0).is_nan() && rows.value(1, 0) == 12.5);
}

#[test]
fn the_folder_holds_these_files_and_no_others() {
    let folder = temporary();
    let path = folder.path().join("bundle");
    let digest = write(&contents(), &path).expect("writes");
    let found = files(&path);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "background.json",
            "book.toml",
            "churn_90d.onnx",
            "evaluation.json",
            "expansion_90d.onnx",
            "features.json",
            "figures/empty.svg",
            "figures/roc.svg",
            "manifest.json",
            "manifest.sha256",
            "parity.bin",
            "provenance.json",
            "readiness.json",
            "report.md",
            "revenue.json",
            "scorecard.json",
        ]
    );
    assert_eq!(digest, Digest::of(&found["manifest.json"]));
    assert_eq!(found["manifest.sha256"], format!("{digest}  manifest.json\n").into_bytes());
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);
}

#[test]
fn equal_contents_are_equal_bytes_wherever_they_are_written() {
    let (one, other) = (temporary(), temporary());
    let (a, b) = (one.path().join("a"), other.path().join("a longer name"));
    assert_eq!(write(&contents(), &a).expect("writes"), write(&contents(), &b).expect("writes"));
    assert_eq!(files(&a), files(&b));
    let here = one.path().to_str().expect("text").as_bytes();
    let names_the_place = |bytes: &Vec<u8>| bytes.windows(here.len()).any(|window| window == here);
    assert!(!files(&a).values().any(names_the_place));
}

#[test]
fn other_contents_are_another_digest() {
    let folder = temporary();
    let digest_of = |at: usize, change: &dyn Fn(&mut BundleContents)| {
        let mut contents = contents();
        change(&mut contents);
        write(&contents, &folder.path().join(at.to_string())).expect("writes")
    };
    let changes: [&dyn Fn(&mut BundleContents); 6] = [
        &|_| {},
        &|contents| contents.name = "other".to_owned(),
        &|contents| contents.min_coverage = 0.600_000_000_000_000_1,
        &|contents| contents.provenance.seed = 1,
        &|contents| contents.targets[0].calibration = Calibration::None,
        &|contents| drop(contents.extra_files.remove("report.md")),
    ];
    let digests: std::collections::BTreeSet<Digest> =
        changes.iter().enumerate().map(|(at, change)| digest_of(at, change)).collect();
    assert_eq!(digests.len(), changes.len());
}

/// f32 and f64 values come back bit for bit, the smallest and the longest too.
#[test]
fn numbers_survive() {
    let folder = temporary();
    let mut contents = contents();
    contents.scorecard.model.indicators[0].at_zero = f32::from_bits(1);
    contents.scorecard.model.indicators[0].at_full = f32::MAX;
    contents.scorecard.model.indicators[0].weight = 0.1;
    let logits = vec![-f64::MAX, f64::from_bits(1), 0.1, 0.1_f64.next_up(), f64::MAX];
    let probabilities = vec![0.0, f64::from_bits(1), 1.0 / 3.0, 1.0_f64.next_down(), 1.0];
    contents.targets[0].calibration = Calibration::Isotonic { logits, probabilities };
    contents.parity.health_bits[0] = f64::from_bits(7).to_bits();
    let path = folder.path().join("bundle");
    write(&contents, &path).expect("writes");
    let bundle = Bundle::open(&path).expect("opens");
    assert_eq!(bundle.scorecard(), &contents.scorecard);
    assert_eq!(bundle.readiness(), contents.readiness.as_ref());
    assert_eq!(bundle.revenue(), contents.revenue.as_ref());
    assert_eq!(bundle.background(), contents.background.as_ref());
    assert_eq!(bundle.targets(), contents.targets);
    assert_eq!(bundle.parity(), &contents.parity);
}

/// A percentile within two plans, of values of every size.
fn percentile() -> InputKind {
    let values = vec![f32::MIN, f32::from_bits(1), 0.1, 0.1_f32.next_up(), 16_777_217.0, f32::MAX];
    let plans = ["free", "pro", "free", "free", "pro", "pro"];
    let raw = RawTable {
        n_rows: values.len(),
        columns: vec![RawColumn { name: "tickets".to_owned(), values: RawValues::Number(values) }],
        cohort: vec![("plan".to_owned(), TextColumn::from_texts(plans.map(Some)))],
        ..RawTable::default()
    };
    let features = ["tickets".to_owned()];
    let account: Vec<u32> = (0..6).collect();
    let policy = CohortPolicy { features: &features, shrinkage: 0.1, min_accounts: 2, account: &account };
    let rows: Vec<usize> = (0..raw.n_rows).collect();
    let encoding = Encoding::learn(&raw, &rows, LevelPolicy::default(), |_| (None, None)).expect("learns");
    let mut encoding = encoding.with_percentiles(&raw, &rows, &policy, |_| (None, None)).expect("learns");
    encoding.inputs.remove(1).kind
}

#[test]
fn percentiles_survive() {
    let folder = temporary();
    let mut contents = contents();
    contents.encoding.inputs[1].kind = percentile();
    let path = folder.path().join("bundle");
    write(&contents, &path).expect("writes");
    assert_eq!(Bundle::open(&path).expect("opens").encoding(), &contents.encoding);
}

/// Bundles of earlier releases have this text: it is read, and it is still what is written.
#[test]
fn an_encoding_without_percentiles_is_spelled_as_ever() {
    let folder = temporary();
    let path = folder.path().join("bundle");
    write(&contents(), &path).expect("writes");
    let text = String::from_utf8(files(&path)["features.json"].clone()).expect("text");
    let inputs = [
        r#"{"category":"usage","good":"up","kind":"number","name":"logins_30d"}"#,
        r#"{"category":"usage","good":"down","kind":"number","name":"tickets_30d"}"#,
        r#"{"category":"usage","kind":{"levels":{"levels":["free","pro"],"other":true}},"name":"plan"}"#,
    ];
    assert_eq!(text.replace(['\n', ' '], ""), format!(r#"{{"inputs":[{}]}}"#, inputs.join(",")));
}

#[test]
fn a_bundle_is_never_written_over() {
    let folder = temporary();
    let path = folder.path().join("bundle");
    write(&contents(), &path).expect("writes");
    let before = files(folder.path());
    let file = folder.path().join("bundle").join("report.md");
    for taken in [&path, &file] {
        assert!(matches!(write(&contents(), taken), Err(BundleError::Exists(_))));
    }
    assert_eq!(files(folder.path()), before);
}

type Change = fn(&mut BundleContents);

fn reasons(contents: &mut BundleContents) -> &mut ParityReasons {
    let of_target = contents.parity.targets.get_mut(&CHURN).expect("it has a model");
    of_target.reasons.as_mut().expect("it has reasons")
}

/// Each would be found by a reader, so none is written, and nothing is left behind.
#[test]
fn bad_contents_leave_nothing_behind() {
    let cases: [(Change, &str); 35] = [
        (|c| c.name = "../demo".into(), "`../demo` is no name for a bundle"),
        (|c| c.min_coverage = 1.5, "manifest.json`: min_coverage is 1.5"),
        (|c| c.min_coverage = f64::NAN, "manifest.json`: min_coverage is NaN"),
        (|c| c.encoding.inputs.clear(), "features.json`: there is no feature"),
        (|c| c.encoding.inputs.swap(0, 1), "indicator 0 of the scorecard is `logins_30d`"),
        (|c| drop(c.encoding.inputs.pop()), "scorecard.json`: the matrix has 5 columns where the schema has 2"),
        (|c| c.encoding.inputs[2].name = "tier".into(), "churn_90d.onnx`: the schema digest is"),
        (|c| drop(c.scorecard.names.pop()), "scorecard.json`: the scorecard has 2 indicators, 1 names"),
        (|c| c.scorecard.model.slope = f32::NAN, "scorecard.json`: the slope is NaN"),
        (|c| c.targets.clear(), "manifest.json`: there is no target"),
        (|c| c.targets[1] = c.targets[0].clone(), "target `churn_90d` stands twice"),
        (|c| c.targets[0].learner.clear(), "has a learner without a name"),
        (|c| c.targets[0].target = EXPANSION, "target `expansion_90d` stands twice"),
        (|c| c.targets[0].target.horizon_days = 30, "churn_30d.onnx`: the target is `churn_90d`"),
        (|c| c.targets[0].onnx.truncate(40), "graph `churn_90d.onnx` cannot be read"),
        (|c| c.targets[0].onnx = c.targets[1].onnx.clone(), "churn_90d.onnx`: the target is `expansion_90d`"),
        (
            |c| c.targets[0].calibration = Calibration::Platt { slope: -1.0, intercept: 0.0 },
            "target `churn_90d`: calibration: a Platt slope",
        ),
        (|c| drop(c.parity.targets.remove(&CHURN)), "its targets are not the bundle's targets"),
        (|c| c.parity.health_bits.clear(), "there is no row"),
        (|c| c.parity.columns.truncate(4), "rows have 4 values; there are 5 features"),
        (|c| c.parity.columns[1].truncate(3), "feature `tickets_30d` has 3 rows where there are 4"),
        (|c| c.parity.columns[0][0] = (-f32::NAN).to_bits(), "row 0 of `logins_30d` is 0xffc00000; a value is finite"),
        (|c| c.parity.inputs.n_rows = 5, "5 rows before encoding become 4 rows"),
        (|c| c.parity.inputs.n_rows = 3, "input `plan` has 1 rows where there are 3"),
        (|c| c.parity.band.truncate(3), "the band has 3 rows where there are 4"),
        (|c| c.background = None, "parity.bin`: the SHA-256 of background.json is"),
        (|c| reasons(c).rows = vec![3, 1], "the rows of the reasons of `churn_90d` are not some of its 4, rising"),
        (|c| reasons(c).rows[1] = 4, "the rows of the reasons of `churn_90d` are not some of its 4, rising"),
        (|c| reasons(c).contribution_bits.truncate(9), "the reasons of `churn_90d`, by feature has 9 rows where"),
        (|c| reasons(c).expected_bits = f64::NAN.to_bits(), "a reason of `churn_90d` is NaN; reasons are finite"),
        (|c| c.parity.health_bits[0] = 100.5_f64.to_bits(), "row 0 expects health 100.5"),
        (|c| c.provenance.config_digest = serde_json::from_str("\"beef\"").expect("text"), "`beef` is no digest"),
        (|c| drop(c.extra_files.insert("../evil".into(), vec![])), "`../evil` is no path"),
        (|c| drop(c.extra_files.insert("Manifest.json".into(), vec![])), "is no path for a file of a bundle"),
        (|c| drop(c.extra_files.insert("report.md/below".into(), vec![])), "failed"),
    ];
    for (change, message) in cases {
        let (folder, mut contents) = (temporary(), contents());
        change(&mut contents);
        let refused = write(&contents, &folder.path().join("bundle")).expect_err(message).to_string();
        assert!(refused.contains(message), "`{refused}` lacks `{message}`");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0, "{message}");
    }
}

#[test]
fn a_parent_that_does_not_exist_is_refused() {
    let folder = temporary();
    let refused = write(&contents(), &folder.path().join("none").join("bundle"));
    assert!(matches!(refused, Err(BundleError::Io { .. })));
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0);
}

/// A temporary folder is closed to others; a bundle gets what the umask gives any new folder.
#[cfg(unix)]
#[test]
fn others_can_read_a_bundle() {
    use std::os::unix::fs::PermissionsExt;
    let folder = temporary();
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode();
    let (plain, bundle) = (folder.path().join("plain"), folder.path().join("bundle"));
    fs::create_dir(&plain).expect("makes");
    write(&contents(), &bundle).expect("writes");
    assert_eq!(mode(&bundle), mode(&plain));
}

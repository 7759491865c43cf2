//! `bellwether models import`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use bellwether_bundle::{Bundle, ImportedModel, TargetModel};
use bellwether_core::{Digest, Model, Target};
use bellwether_learn::LearnerName;
use bellwether_onnx::{Imported, InputNames};
use serde::Serialize;

use crate::args::{ImportModel, MissingRule};
use crate::commands::models::read;
use crate::commands::models::witness::Agreement;
use crate::commands::train::{self, Publication, Trained};
use crate::failure::{Failure, INVALID, Unexpected as _};
use crate::output::{grouped, print_json, print_text};
use crate::pipeline::audit;
use crate::pipeline::fit::{Candidates, GivenModel, ImportedFile};
use crate::pipeline::opened::Opened;
use crate::pipeline::prepare::{Built, Prepared};
use crate::progress::{Bars, say};

/// What stands before a feature's name in a matrix that `features --model` writes.
const FEATURE_PREFIX: &str = "feature:";

/// What became of a file.
#[derive(Serialize)]
struct Taken {
    producer: String,
    model: String,
    features: usize,
    /// Of a logit; of a forest, of a probability. 0 where nothing was rounded.
    rounding: f64,
    /// Features whose missing values count as their mean, as the file does not say.
    filled_with_mean: usize,
    agreement: Option<Agreement>,
}

#[derive(Serialize)]
struct Published<'a> {
    import: &'a Taken,
    #[serde(flatten)]
    bundle: Trained<'a>,
}

pub(crate) fn run(arguments: &ImportModel) -> Result<(), Failure> {
    let (began, bars) = (Instant::now(), Bars::default());
    let bytes = read(&arguments.file)?;
    let imported = bellwether_onnx::import(&bytes)?;
    say(&format!("reading {}", arguments.book.display()));
    let Opened { bundle, book, .. } = Opened::open(&arguments.book, &arguments.like, &bars)?;
    let seed = bundle.provenance().seed;
    require_target(&bundle, arguments.target)?;
    let names = named_features(&imported, arguments.features.as_deref())?;
    let features = places(&imported, &bundle, names.as_deref())?;
    let built = Built::of(book, &bars)?;
    let audit = audit::of(&built, seed, &bars)?;
    audit::require(&audit)?;
    let prepared = Prepared::of(&built, seed)?;
    require_same_matrix(&prepared, &bundle)?;
    let rules = MissingRules::of(&imported, &features, &prepared, arguments.missing)?;
    let converted = imported.convert(&features, prepared.schema.len(), &rules.fills)?;
    let file = ImportedFile {
        provenance: ImportedModel {
            producer: imported.producer().to_owned(),
            file: Digest::of(&bytes),
            features: features.iter().map(|&of| prepared.schema.features()[of].name.clone()).collect(),
            missing: rules.stored(&features, &prepared),
        },
        bytes,
    };
    let agreement = arguments.check.as_deref().map(|file| Agreement::check(file, &converted, &prepared)).transpose()?;
    let taken = Taken {
        producer: imported.producer().to_owned(),
        model: kind(&converted.model),
        features: imported.n_inputs(),
        rounding: converted.rounding,
        filled_with_mean: rules.n_filled(),
        agreement,
    };
    let candidates = candidates(&prepared, &bundle, &arguments.like, arguments.target, (converted.model, file))?;
    let (models, name) = (arguments.models.as_path(), arguments.name.as_deref());
    let actor = train::actor(arguments.actor.as_deref());
    let to = Publication { models, name, seed, actor: &actor, began };
    let trained = train::publish(&prepared, &audit, &candidates, &to, &bars)?;
    if arguments.json {
        return print_json(&Published { import: &taken, bundle: trained.json() });
    }
    print_text(&format!("{}\n\n{}", taken.text(), trained.text()))
}

fn require_target(bundle: &Bundle, target: Target) -> Result<(), Failure> {
    if bundle.targets().iter().any(|of| of.target == target) {
        return Ok(());
    }
    let known: Vec<String> = bundle.targets().iter().map(|of| of.target.to_string()).collect();
    let message = anyhow::anyhow!("the bundle predicts no {target}; it predicts {}", known.join(", "));
    Err(Failure::new(INVALID, message, Some("name one of these, or train a bundle that predicts it")))
}

/// The names of the features that the file reads, where anyone gives them.
fn named_features(imported: &Imported, list: Option<&Path>) -> Result<Option<Vec<String>>, Failure> {
    let plain = |name: &str| name.strip_prefix(FEATURE_PREFIX).unwrap_or(name).to_owned();
    match (list, imported.input_names()) {
        (Some(list), _) => {
            let text = String::from_utf8(read(list)?).unexpected("reading the names of features")?;
            Ok(Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(plain).collect()))
        }
        (None, InputNames::Columns(names)) => Ok(Some(names.iter().map(|name| plain(name)).collect())),
        (None, InputNames::Matrix(_)) => Ok(None),
    }
}

/// The place in the bundle's schema of each input of the file.
fn places(imported: &Imported, bundle: &Bundle, names: Option<&[String]>) -> Result<Vec<usize>, Failure> {
    const HINT: &str =
        "write the names of the features that the model reads, one a line, in its order, into a file: --features FILE";
    let invalid = |message: String| Failure::new(INVALID, anyhow::Error::msg(message), Some(HINT));
    let (schema, n_inputs) = (bundle.schema(), imported.n_inputs());
    let n_named = names.map_or(schema.len(), <[String]>::len);
    if n_named != n_inputs {
        let whose = if names.is_some() { "are named" } else { "are in the bundle" };
        return Err(invalid(format!("the file reads {n_inputs} features where {n_named} {whose}")));
    }
    let Some(names) = names else { return Ok((0..n_inputs).collect()) };
    let mut seen = BTreeSet::new();
    let place = |name: &String| {
        let place = schema.index_of(name).ok_or_else(|| invalid(format!("the bundle has no feature `{name}`")))?;
        if seen.insert(place) { Ok(place) } else { Err(invalid(format!("feature `{name}` is named twice"))) }
    };
    names.iter().map(place).collect()
}

/// The model read the bundle's matrix, so the book must still make the same.
fn require_same_matrix(prepared: &Prepared, bundle: &Bundle) -> Result<(), Failure> {
    if prepared.encoding == *bundle.encoding() {
        return Ok(());
    }
    let message = "the book makes another matrix than the bundle's: its training rows are not those of the bundle";
    let hint =
        "train a bundle on the book as it is, write its matrix with `bellwether features`, and fit the model to it";
    Err(Failure::refused(message.to_owned(), hint))
}

/// What missing values count as where the file does not say.
struct MissingRules {
    /// One an input of the file.
    fills: Vec<Option<f32>>,
}

impl MissingRules {
    fn of(
        imported: &Imported,
        features: &[usize],
        prepared: &Prepared,
        rule: Option<MissingRule>,
    ) -> Result<Self, Failure> {
        let mut fills = vec![None; features.len()];
        for input in imported.unruled() {
            let (column, name) =
                (prepared.x.column(features[input]), &prepared.schema.features()[features[input]].name);
            let n_missing = column.iter().filter(|value| value.is_nan()).count();
            if n_missing > 0 && rule.is_none() {
                let message = format!(
                    "the file does not say what becomes of a missing value of feature `{name}`, which {} of {} rows miss",
                    grouped(n_missing),
                    grouped(column.len())
                );
                let hint = "export the model with an imputer before it, or count missing values as the mean of training \
                            rows: --missing mean";
                return Err(Failure::refused(message, hint));
            }
            let known = prepared.split.training.iter().map(|&row| column[row]).filter(|value| !value.is_nan());
            let (n, sum) = known.fold((0_u32, 0.0), |(n, sum), value| (n + 1, sum + f64::from(value)));
            if n == 0 {
                let message = format!("no training row knows feature `{name}`, whose mean is asked for");
                return Err(Failure::refused(message, "export the model with an imputer before it"));
            }
            fills[input] = Some((sum / f64::from(n)) as f32);
        }
        Ok(Self { fills })
    }

    fn n_filled(&self) -> usize {
        self.fills.iter().flatten().count()
    }

    fn stored(&self, features: &[usize], prepared: &Prepared) -> BTreeMap<String, u32> {
        let name = |feature: usize| prepared.schema.features()[feature].name.clone();
        let fills = features.iter().zip(&self.fills);
        fills.filter_map(|(&feature, fill)| Some((name(feature), fill.as_ref()?.to_bits()))).collect()
    }
}

/// The imported model for its target, beside the bundle's; the bundle's own for the others.
fn candidates(
    prepared: &Prepared,
    bundle: &Bundle,
    like: &Path,
    target: Target,
    (model, file): (Model, ImportedFile),
) -> Result<Vec<Candidates>, Failure> {
    let mut imported = Some(GivenModel { learner: LearnerName::Imported, model, imported: Some(file) });
    let of_target = |(of, own): (&TargetModel, &Model)| {
        let own = GivenModel {
            learner: of.learner.parse().unwrap_or(LearnerName::Imported),
            model: own.clone(),
            imported: earlier_import(bundle, like, of.target)?,
        };
        let imported = if of.target == target { imported.take() } else { None };
        Candidates::given(prepared, of.target, imported.into_iter().chain([own]).collect())
    };
    bundle.targets().iter().zip(bundle.models()).map(of_target).collect()
}

/// The file of a model that the bundle itself has imported.
fn earlier_import(bundle: &Bundle, like: &Path, target: Target) -> Result<Option<ImportedFile>, Failure> {
    let Some(provenance) = bundle.provenance().imported.get(&target) else { return Ok(None) };
    let path = bellwether_registry::resolve(like)?.join(ImportedModel::path(target));
    Ok(Some(ImportedFile { provenance: provenance.clone(), bytes: read(&path)? }))
}

fn kind(model: &Model) -> String {
    match model {
        Model::Trees(trees) => format!("{} trees", grouped(trees.trees().len())),
        Model::Linear(_) | Model::Scorecard(_) => "a sum of straight lines".to_owned(),
        Model::Graph(_) => "a graph for tract".to_owned(),
    }
}

impl Taken {
    fn text(&self) -> String {
        let mut lines = vec![format!("{}: {} of {} features", self.producer, self.model, grouped(self.features))];
        if self.rounding > 0.0 {
            lines.push(format!("no sum is further than {:.0e} from the file's", self.rounding));
        }
        if self.filled_with_mean > 0 {
            lines.push(format!(
                "the file does not say what a missing value of {} features means: it counts as the mean of training rows",
                grouped(self.filled_with_mean)
            ));
        }
        let compared = self.agreement.as_ref().map(Agreement::text);
        lines.push(
            compared.unwrap_or_else(|| "not compared with its maker's own probabilities: --check does".to_owned()),
        );
        lines.join("\n")
    }
}

//! Features one by one, after the shorthand for several columns is expanded.

use bellwether_core::Direction;
use toml::Spanned;

use super::{Aggregate, BookFile, Change, Condition, FeatureDeclaration, ValueType, Window};

/// One feature, after `columns` is expanded.
#[derive(Debug, Clone)]
pub struct DeclaredFeature {
    /// Its name.
    pub name: String,
    /// The source.
    pub from: String,
    /// The column and its place in the file.
    pub column: Option<Spanned<String>>,
    /// What becomes of the rows.
    pub aggregate: Aggregate,
    /// How far back.
    pub window: Option<Window>,
    /// Only rows for which these hold.
    pub filter: Vec<Condition>,
    /// Number or text.
    pub r#type: ValueType,
    /// Against the window before.
    pub change: Option<Change>,
    /// Divided by this feature.
    pub per: Option<String>,
    /// Which way is good.
    pub good: Option<Direction>,
    /// Kind of indicator.
    pub category: Option<String>,
    /// Kept out of the models.
    pub helper: bool,
}

impl FeatureDeclaration {
    pub(super) fn expand(&self) -> Vec<DeclaredFeature> {
        let one = |name: &str, column: Option<&Spanned<String>>| DeclaredFeature {
            name: name.to_owned(),
            from: self.from.get_ref().clone(),
            column: column.cloned(),
            aggregate: self.aggregate,
            window: self.window,
            filter: self.filter.clone(),
            r#type: self.r#type,
            change: self.change,
            per: self.per.as_ref().map(|per| per.get_ref().clone()),
            good: self.good,
            category: self.category.clone(),
            helper: self.helper,
        };
        let of_columns = self.columns.iter().map(|column| one(column.get_ref(), Some(column)));
        let own_name = self.name.as_ref().or(self.column.as_ref());
        let single = own_name.map(|name| one(name.get_ref(), self.column.as_ref()));
        single.filter(|_| self.columns.is_empty()).into_iter().chain(of_columns).collect()
    }
}

impl BookFile {
    /// Every feature in declared order, helpers too.
    pub fn declared(&self) -> Vec<DeclaredFeature> {
        self.config.features.iter().flat_map(FeatureDeclaration::expand).collect()
    }
}

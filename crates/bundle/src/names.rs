//! Names of bundles and of the files in them.

use std::collections::BTreeSet;

use crate::BundleError;

const MAX_NAME_CHARS: usize = 64;
const MAX_PATH_CHARS: usize = 200;

/// Checks a bundle's name: 1 to 64 ASCII letters, digits, `-` or `_`, beginning with a letter or digit.
///
/// # Errors
/// [`BundleError::Name`].
pub fn check_name(name: &str) -> Result<(), BundleError> {
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if begins && plain && name.len() <= MAX_NAME_CHARS { Ok(()) } else { Err(BundleError::Name(name.to_owned())) }
}

/// Checks the paths of a bundle's files: relative, plain ASCII, nothing hidden, and different on every file system.
pub(crate) fn check_paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<(), BundleError> {
    let mut seen = BTreeSet::new();
    for path in paths {
        let is_plain = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        // Two names that differ only in case are one file on some file systems.
        if path.len() > MAX_PATH_CHARS || !path.split('/').all(is_plain) || !seen.insert(path.to_ascii_lowercase()) {
            return Err(BundleError::Path(path.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folder_names_everywhere() {
        for (name, good) in [
            ("demo", true),
            ("Q3-2026_b", true),
            ("7", true),
            ("", false),
            ("-rf", false),
            ("a.b", false),
            ("a/b", false),
            ("..", false),
            ("böok", false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
        assert!(check_name(&"a".repeat(64)).is_ok() && check_name(&"a".repeat(65)).is_err());
    }

    #[test]
    fn paths_stay_inside_the_bundle() {
        for (path, good) in [
            ("report.md", true),
            ("figures/roc-churn_90d.svg", true),
            ("../report.md", false),
            ("figures/../../x", false),
            ("/etc/passwd", false),
            ("figures//a", false),
            ("figures/", false),
            ("./a", false),
            (".hidden", false),
            ("a\\b", false),
            ("C:x", false),
            ("a\0", false),
            ("", false),
        ] {
            assert_eq!(check_paths([path]).is_ok(), good, "{path:?}");
        }
        assert!(check_paths(["report.md", "Report.md"]).is_err());
    }
}

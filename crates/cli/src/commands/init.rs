//! `bellwether init`

use std::fs;
use std::io::Write as _;

use crate::args::Init;
use crate::failure::{Failure, Unexpected as _};
use crate::output::print_text;

const TEMPLATE: &str = include_str!("init.toml");

pub(crate) fn run(arguments: &Init) -> Result<(), Failure> {
    fs::create_dir_all(&arguments.folder).unexpected("making the folder")?;
    let path = arguments.folder.join("book.toml");
    match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::refused(
            format!("{} exists; it was kept", path.display()),
            "name another folder, or move the file away",
        )),
        opened => {
            opened.and_then(|mut file| file.write_all(TEMPLATE.as_bytes())).unexpected("writing book.toml")?;
            let shown = path.display();
            print_text(&format!(
                "{shown} written\nnext: name your tables in it, then `bellwether check --book {shown}`"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_valid_configuration() {
        let parsed = bellwether_book::BookFile::parse(TEMPLATE.to_owned(), std::path::Path::new("book.toml"));
        assert!(parsed.is_ok(), "{parsed:?}");
    }

    /// What is commented out from `[train]` to the scorecard's choices, as it stands there.
    #[test]
    fn the_commented_settings_of_learners_are_valid() {
        let at = TEMPLATE.find("# [train]\n").expect("it is there");
        let end = TEMPLATE.find("# In place of search_seconds").expect("it is there");
        let settings = TEMPLATE[at..end].replace("\n# ", "\n");
        let text = format!("{TEMPLATE}\n{}", settings.trim_start_matches("# "));
        let file = bellwether_book::BookFile::parse(text, std::path::Path::new("book.toml")).expect("it is valid");
        let train = file.config.train;
        assert_eq!((train.learners.len(), train.boosted.get_ref().trees), (3, Some(600)));
        assert!(train.logistic.get_ref().c.is_some() && train.tree.get_ref().depth.is_some());
    }
}

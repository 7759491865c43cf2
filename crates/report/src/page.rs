//! The Markdown report as one HTML page.

use maud::{DOCTYPE, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::figures::Figures;
use crate::markdown::clean;

const STYLE: &str = include_str!("page.css");
/// A namespace that files need and a page must not repeat, as it looks like an address.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// A page that shows `markdown`, its figures inside.
pub(crate) fn page(title: &str, markdown: &str, figures: &Figures) -> String {
    let Body { html: body, chapters } = body(markdown, figures);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (clean(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    nav aria-label="Contents" {
                        @for (id, heading) in &chapters {
                            a href=(format!("#{id}")) { (heading) }
                        }
                    }
                    (PreEscaped(body))
                }
            }
        }
    }
    .into_string()
}

/// What stands in the page, and its second-level headings with their ids.
struct Body {
    html: String,
    chapters: Vec<(String, String)>,
}

fn body(markdown: &str, figures: &Figures) -> Body {
    let mut events = Vec::new();
    let mut chapters: Vec<(String, String)> = Vec::new();
    let mut parser = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(without_markup);
    while let Some(event) = parser.next() {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, classes, attrs, .. }) => {
                let inside: Vec<Event<'_>> =
                    parser.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).collect();
                let id = format!("part-{}", chapters.len() + 1);
                chapters.push((id.clone(), plain(&inside)));
                events.push(Event::Start(Tag::Heading {
                    level: HeadingLevel::H2,
                    id: Some(CowStr::from(id)),
                    classes,
                    attrs,
                }));
                events.extend(inside);
                events.push(Event::End(TagEnd::Heading(HeadingLevel::H2)));
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                parser.by_ref().find(|event| matches!(event, Event::End(TagEnd::Image)));
                let svg = figures.get(dest_url.as_ref()).map(|svg| svg.replacen(NAMESPACE, "", 1));
                events.push(Event::InlineHtml(CowStr::from(svg.unwrap_or_default())));
            }
            // On a narrow screen a table scrolls by itself.
            Event::Start(Tag::Table(alignments)) => {
                events.push(Event::Html("<div class=\"table\">".into()));
                events.push(Event::Start(Tag::Table(alignments)));
            }
            Event::End(TagEnd::Table) => events.extend([Event::End(TagEnd::Table), Event::Html("</div>\n".into())]),
            // The report's Markdown has no links.
            Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) => {}
            other => events.push(other),
        }
    }
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    Body { html, chapters }
}

/// The report's Markdown has no HTML; should a name ever become some, it is shown instead.
fn without_markup(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    }
}

fn plain(events: &[Event<'_>]) -> String {
    let text = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => text.to_string(),
        _ => String::new(),
    };
    events.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_the_markdown_is_shown_and_not_obeyed() {
        let page = page(
            "a <b>",
            "# t\n\n<script>x</script>\n\nb <i>c</i> [l](javascript:x)\n\n## <b>d</b>\n",
            &Figures::new(),
        );
        assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains("<b>"), "{page}");
        assert!(
            !page.contains("javascript") && page.contains("<a href=\"#part-1\">&lt;b&gt;d&lt;/b&gt;</a>"),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;x&lt;/script&gt;"), "{page}");
    }
}

//! Reports as Markdown with SVG figures and as one HTML page.

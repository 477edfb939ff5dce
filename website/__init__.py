"""The project's site: plain Markdown from the repository's own texts, models and reports; a generator makes HTML of it."""

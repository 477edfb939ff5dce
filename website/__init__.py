"""The project's site: Markdown from the repository's own texts, models and reports, made into HTML by a generator."""

"""What the generator of the site is told: pages, look, and how Markdown is read."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from website.page import Page

_EXTENSIONS = """\
markdown_extensions:
  - attr_list
  - md_in_html
  - tables
  - admonition
  - pymdownx.details
  - pymdownx.superfences
  - pymdownx.highlight: {anchor_linenums: false}
  - toc:
      permalink: true
      toc_depth: 3
      slugify: !!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower}}
"""
_FEATURES = ["navigation.tabs", "navigation.indexes", "navigation.prune", "content.code.copy", "search.highlight"]
# The first is that of a new visitor: it follows the system, also when that changes.
_PALETTE = [
    {"media": "(prefers-color-scheme)", "toggle": {"icon": "lucide/sun-moon", "name": "Light mode"}},
    {
        "media": "(prefers-color-scheme: light)",
        "scheme": "default",
        "toggle": {"icon": "lucide/sun", "name": "Dark mode"},
    },
    {
        "media": "(prefers-color-scheme: dark)",
        "scheme": "slate",
        "toggle": {"icon": "lucide/moon", "name": "As the system"},
    },
]


def written(pages: Iterable[Page], *, address: str, repository: str) -> str:
    """``mkdocs.yml``, which Zensical and MkDocs' heirs read: each value as JSON, which is YAML.

    Args:
        address: of the site, for its map and its canonical links; empty: none.
        repository: its address at a forge, for the link in the head; empty: none.
    """
    project: dict[str, Any] = {
        "site_name": "Compute Blog solutions",
        "site_description": "Solutions of the AWS Compute Blog as one AWS CDK app",
        "docs_dir": "docs",
        "site_dir": "html",
        "theme": {
            "name": "material",
            "custom_dir": "overrides",
            "font": False,
            "favicon": "assets/favicon.svg",
            "icon": {"logo": "lucide/server-cog"},
            "features": _FEATURES,
            "palette": _PALETTE,
        },
        "extra_css": ["assets/site.css"],
        "extra_javascript": ["assets/site.js"],
        "extra": {"generator": False},
        "copyright": "MIT-0. Not affiliated with Amazon Web Services.",
        "nav": _navigation({page.path: page for page in pages}),
    }
    if address:
        project["site_url"] = address
    if repository:
        project["repo_url"] = repository
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in project.items()) + _EXTENSIONS


def _navigation(pages: Mapping[str, Page]) -> list[Any]:
    def named(path: str) -> dict[str, str]:
        return {pages[path].label or pages[path].title: path}

    def below(folder: str) -> list[Any]:
        return [named(path) for path in pages if path.startswith(f"{folder}/")]

    slugs = dict.fromkeys(
        path.split("/")[1] for path in pages if path.startswith("solutions/") and path.count("/") == 2
    )
    solutions = [{pages[f"solutions/{slug}/index.md"].title: below(f"solutions/{slug}")} for slug in slugs]
    about = [named(path) for path in pages if "/" not in path and path not in ("index.md", "choose.md")]
    return [
        {"Start": ["index.md", named("choose.md")]},
        {"Solutions": ["solutions/index.md", *solutions]},
        {"Guide": below("guide")},
        {"Settings": below("settings")},
        {"Evidence": below("evidence")},
        {"About": about},
    ]

"""Files for programs that read the site: llms.txt and the whole text."""

from collections.abc import Mapping, Sequence

from website.page import Page

_HEAD = """# Compute Blog solutions

> Solutions of the AWS Compute Blog as one AWS CDK app in Python. `make try SOLUTION=<slug>` deploys, tries and destroys
> one on a local AWS emulator; `npx cdk deploy -e <name>` deploys it to an account. Nothing was verified on AWS yet.
"""
_PARTS = (("Solutions", "solutions/"), ("Guide", "guide/"), ("Settings", "settings/"), ("Evidence", "evidence/"))


def files(pages: Sequence[Page]) -> Mapping[str, str]:
    """``llms.txt`` (https://llmstxt.org/), the pages by name, and ``llms-full.txt``, the guide and overviews."""
    parts = [_HEAD]
    for title, folder in _PARTS:
        lines = [
            f"- [{page.title}]({_address(page)}): {page.description}" for page in pages if page.path.startswith(folder)
        ]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    whole = [page.text for page in pages if page.path.endswith("index.md") or page.path.startswith("guide/")]
    return {"llms.txt": "\n".join(parts), "llms-full.txt": "\n\n---\n\n".join(whole) + "\n"}


def _address(page: Page) -> str:
    return page.path.removesuffix("index.md") if page.path.endswith("index.md") else page.path.removesuffix(".md") + "/"

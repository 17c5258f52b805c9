"""The pages of a report as text: templates filled in, every value escaped, and what a browser may load stated."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.report import words
from simlab.report.figures import plain_number
from simlab.report.material import Links
from simlab.report.method_section import squares

if TYPE_CHECKING:
    from simlab.report.content import Content

HERE = Path(__file__).parent / "pages"
ASSETS = {name: (HERE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js")}
"""What all pages share; both ship with simlab."""
FOLDER_POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'"
NOWHERE = "base-uri 'none'; form-action 'none'"


class Pages:
    """Fills in the templates; `links` says where each section lies."""

    def __init__(self, links: Links) -> None:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        self.links = links
        loader = FileSystemLoader(HERE)
        self.environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.environment.filters |= {
            "number": plain_number, "rate": words.rate, "percent": words.percent, "seconds": words.duration_words,
            "breakable": words.breakable, "cut": words.cut, "known": words.known, "squares": squares,
        }  # fmt: skip
        self.environment.globals |= {"href": links.href, "together": links.together}

    def folder(self, content: Content) -> Iterator[tuple[str, str]]:
        """Each page's file name and text."""
        shared = {"content": content, "policy": f"{FOLDER_POLICY}; {NOWHERE}", "style": "", "script": ""}
        yield "index.html", self._page("index", content.index, shared)
        for kind, sections in (
            ("question", content.questions),
            ("method", content.methods),
            ("circuit", content.circuits),
        ):
            for section in sections:
                yield f"{section.slug}.html", self._page(kind, section, shared)

    def single(self, content: Content) -> str:
        """Everything as one page."""
        style, script = ASSETS["report.css"], ASSETS["report.js"]
        allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
        policy = f"default-src 'none'; img-src data:; {allowed}; {NOWHERE}"
        return self._page(
            "all", content.index, {"content": content, "policy": policy, "style": style, "script": script}
        )

    def _page(self, kind: str, section: Any, shared: dict[str, Any]) -> str:
        return self.environment.get_template("page.html").render(shared, kind=kind, section=section)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

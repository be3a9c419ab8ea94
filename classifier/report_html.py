"""Evidence → the report as one HTML file: opens offline, prints well, runs no script; the same bytes from the same tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from classifier.codebook import load_codebook
from classifier.evidence import Evidence
from classifier.exports import VERDICT_COLOURS
from classifier.matrix import VERDICTS
from classifier.predictions import codebook_digest
from classifier.report_content import DISCLAIMER, METHOD, TITLE, report_content

if TYPE_CHECKING:
    from classifier.charts import Chart

TEMPLATE = "report_page.html.jinja"
# The words that only colour those verdicts that say something; the others differ in style, in light and in dark.
_COLOURED = ("does", "conditional", "mixed", "refuses", "mentions")
_TAG = re.compile(r"<[^>]+>")
_OWN_ID = re.compile(r'(\bid="|href="#|url\(#)')


def html_report(evidence: Evidence) -> bytes:
    """The whole file. Every word of a document is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template(TEMPLATE).render(
        title=TITLE,
        disclaimer=DISCLAIMER,
        method=METHOD,
        report=report_content(evidence),
        verdicts=VERDICTS,
        colours=[(verdict, VERDICT_COLOURS[verdict]) for verdict in _COLOURED],
        codebook=codebook_digest(load_codebook()),
        inline_svg=inline_svg,
    )
    return text.strip().encode("utf-8") + b"\n"


def inline_svg(chart: Chart) -> Markup:
    """A chart's SVG as part of a page: without its head and metadata, its ids its own."""
    svg = chart.svg.decode("utf-8")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    # matplotlib escapes < and > in words and attributes, so that what looks like a tag is one
    return Markup(_TAG.sub(lambda tag: _OWN_ID.sub(rf"\g<1>{chart.name}-", tag[0]), svg))

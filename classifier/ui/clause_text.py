"""Text of a document in the page, word by word: set as text by the browser, never read as HTML or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from classifier.corrections import ClauseView
from classifier.explanations import Contribution, Explanation, Field

STRONGEST = 8  # words marked on each side

CSS = """
.clause { font-family: var(--st-font); font-size: 1.06rem; line-height: 1.5; color: var(--st-text-color); white-space: pre-wrap; }
.lead { opacity: .75; border-left: 3px solid color-mix(in srgb, var(--st-text-color) 35%, transparent); padding-left: .7em; margin-bottom: .45em; }
.grey { opacity: .7; font-size: .92rem; line-height: 1.4; }
.for { background: color-mix(in srgb, #0072b2 calc(var(--w) * 45%), transparent); border-bottom: 2px solid #0072b2; border-radius: 2px; }
.against { background: color-mix(in srgb, #d55e00 calc(var(--w) * 40%), transparent); border-bottom: 2px dashed #d55e00; border-radius: 2px; }
"""
JS = """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root")
  root.replaceChildren()
  for (const part of data.parts) {
    const line = document.createElement("div")
    line.className = "clause " + part.look
    for (const piece of part.pieces) {
      const span = document.createElement("span")
      span.textContent = piece.text
      if (piece.side) {
        span.className = piece.side
        span.style.setProperty("--w", piece.strength)
        span.title = piece.title
      }
      line.appendChild(span)
    }
    root.appendChild(line)
  }
  const words = root.textContent
  if (root.dataset.words === words) return
  root.dataset.words = words
  show(root.querySelector(".clause:not(.grey)"), root.getRootNode().host ?? root)
}

// Bring a new clause into view in the box that it scrolls in, with a little of what stands before it.
function show(line, host) {
  let box = host.parentElement
  while (box && !/auto|scroll/.test(getComputedStyle(box).overflowY)) box = box.parentElement
  if (!line || !box || box.clientHeight > innerHeight * 0.7) return
  const [of, at] = [box.getBoundingClientRect(), line.getBoundingClientRect()]
  box.scrollTop += at.top - of.top - Math.max(0, Math.min(60, of.height - at.height))
}
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text. look: "", "lead" or "grey". contributions: words of it to be marked."""

    text: str
    look: str = ""
    contributions: tuple[Contribution, ...] = ()


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "clauses_text", html='<div class="root"></div>', css=CSS, js=JS, isolate_styles=True
    )


def show_text(parts: Sequence[Part], key: str) -> None:
    """Show parts of text one below the other, words that speak for a label in blue, against it in dashed orange."""
    data = {"parts": [{"look": part.look, "pieces": pieces(part)} for part in parts if part.text]}
    _component()(data=data, key=key)


def show_words(view: ClauseView, explained: Explanation | None) -> None:
    """Heading, neighbours in grey, lead-in, and the clause with the words that spoke for and against."""
    told = explained.contributions if explained else ()
    clause = view.clause
    with st.container(height=310, border=False, key="text_box"):
        show_text(
            [
                Part(clause.heading, "grey", of_field(told, "heading")),
                *(Part(c.text, "grey") for c in view.before),
                Part(clause.context, "lead", of_field(told, "context")),
                Part(clause.text, "", of_field(told, "text")),
                *(Part(c.text, "grey") for c in view.after),
            ],
            key="clause_text",
        )


def of_field(contributions: Sequence[Contribution], field: Field) -> tuple[Contribution, ...]:
    """The strongest contributions of one field, for and against."""
    mine = [c for c in contributions if c.place.field == field]
    for_it = [c for c in mine if c.weight > 0][:STRONGEST]
    return tuple(for_it + [c for c in mine if c.weight < 0][:STRONGEST])


def pieces(part: Part) -> list[dict[str, Any]]:
    """A part cut into pieces: {"text"} and, for a marked word, {"side", "strength" 0 to 1, "title"}. They rejoin to its text."""
    most = max((abs(c.weight) for c in part.contributions), default=1.0)
    found: list[dict[str, Any]] = []
    at = 0
    for c in sorted(part.contributions, key=lambda c: (c.place.start, c.place.end)):
        if c.place.start < at:  # a turn of phrase over words that are marked already
            continue
        found.append({"text": part.text[at : c.place.start]})
        side = "for" if c.weight > 0 else "against"
        title = f"{'+' if c.weight > 0 else '−'}{abs(c.weight):.2f}"
        strength = round(abs(c.weight) / most, 2)
        found.append(
            {"text": part.text[c.place.start : c.place.end], "side": side, "strength": strength, "title": title}
        )
        at = c.place.end
    found.append({"text": part.text[at:]})
    return [p for p in found if p["text"]]

"""Labelled documents: `training_data/documents/**/*.policy` and evaluation JSONL → LabelledDocument.

A `.policy` file is a policy as its author wrote it, one clause a line, with the labels at the end of the line:

    title: General Order 14-3
    agency: Oxbow Falls Police Department
    kind: municipal police
    family: municipal-general-order
    state: MA
    hand: b2
    ---
    # III. PROCEDURE
    ## A. Release
    1. Officers shall not: {}
      (a) hold a person on a detainer; {honors_detainers:prohibits}
      (b) call ICE unless the Chief agrees. {notifies_ice_on_release:limits; approval="unless the Chief agrees"}
    | This does not apply to minors. {protects_juveniles:requires}
    ~ Page 3 of 9

`#` headings by level; two spaces of indent a list level; `| ` goes on in the paragraph of the line before; `~ ` is
page furniture, a signature or a caption, no clause. Labels: `{practice:stance, practice:stance; condition="its words"}`;
no braces or `{}` for no label; `{hard}` for a clause without a label that sounds like one (a hard negative).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from classifier.codebook import Codebook, load_codebook
from classifier.conditions import Condition
from classifier.errors import LabelledDataError
from classifier.list_marks import read_mark

HEADER_KEYS = ("title", "agency", "kind", "family", "state", "hand")
LEAD_IN_END = re.compile(r"[:—–]\s*$|(?:\s-|--)\s*$")
LABELS_AT_END = re.compile(r"\s*\{([^{}]*)\}\s*$")
CONDITION = re.compile(r'\s*(\w+)\s*=\s*"([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One line of a labelled document.

    kind: clause, heading or furniture. level: heading level (1 the highest) or list depth (0 the outermost).
    joined: the item goes on in the paragraph of the one before.
    heading: headings above, outermost first, joined by " > ". context: the lead-ins above, outermost first.
    labels: practice → stance (None for a stanceless practice).
    """

    kind: Literal["clause", "heading", "furniture"]
    text: str
    level: int = 0
    joined: bool = False
    heading: str = ""
    context: str = ""
    labels: dict[str, str | None] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    hard: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document with its labels. `id` is the file's stem; `path` says where it was read."""

    id: str
    path: str
    title: str
    agency: str
    kind: str
    family: str
    state: str
    hand: str
    items: tuple[LabelledItem, ...]
    date: str = ""
    county: str = ""
    source_text: str = ""

    @property
    def text(self) -> str:
        """The document as plain text, one paragraph a line: what a reader of the file would have before him."""
        if self.source_text:
            return self.source_text
        lines: list[str] = []
        for item in self.items:
            if item.joined and lines:
                lines[-1] += " " + item.text
            else:
                lines.append("  " * (item.level if item.kind == "clause" else 0) + item.text)
        return "\n".join(lines)

    @property
    def clauses(self) -> tuple[LabelledItem, ...]:
        return tuple(item for item in self.items if item.kind == "clause")


def parse_labels(raw: str, where: str, codebook: Codebook) -> tuple[dict[str, str | None], tuple[Condition, ...], bool]:
    """`practice:stance, …; condition="words", …` → labels, conditions, hard. Raises LabelledDataError."""
    if raw.strip() == "hard":
        return {}, (), True
    practices, _, conditions = raw.partition(";")
    labels: dict[str, str | None] = {}
    for part in filter(None, (p.strip() for p in practices.split(","))):
        practice, _, stance = (s.strip() for s in part.partition(":"))
        if practice not in codebook.practice_ids:
            raise LabelledDataError(f"{where}: unknown practice {practice!r}", "use an id of the codebook")
        if practice in labels:
            raise LabelledDataError(f"{where}: {practice} twice", "give each practice one stance")
        if codebook.practice(practice).stanceless:
            if stance:
                raise LabelledDataError(f"{where}: {practice} carries no stance", "remove it")
            labels[practice] = None
        elif stance not in codebook.stances:
            raise LabelledDataError(
                f"{where}: unknown stance {stance!r} for {practice}", "use a stance of the codebook"
            )
        else:
            labels[practice] = stance
    found: list[Condition] = []
    rest = conditions.strip()
    while rest:
        match = CONDITION.match(rest)
        if not match:
            raise LabelledDataError(f"{where}: can't read condition {rest!r}", 'write type="words", type="words"')
        kind, words = match.groups()
        if kind not in codebook.conditions:
            raise LabelledDataError(f"{where}: unknown condition {kind!r}", "use a condition id of the codebook")
        found.append(Condition(kind, words))
        rest = rest[match.end() :].strip()
    if found and not labels:
        raise LabelledDataError(f"{where}: a condition without a practice", "label the practice or drop the condition")
    return labels, tuple(found), False


def fold(text: str) -> str:
    """Lower case, one space for any white space: for finding words again."""
    return re.sub(r"\s+", " ", text).strip().lower()


def read_labelled_text(path: Path) -> str:
    """A labelled file as text. Raises LabelledDataError if it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelledDataError(f"{path}: can't be read ({error})", "check the path; save it in UTF-8") from error


def read_policy(path: Path, codebook: Codebook | None = None) -> LabelledDocument:
    """Read one `.policy` file. Raises LabelledDataError with the line that breaks the format."""
    codebook = codebook or load_codebook()
    head, divider, body = read_labelled_text(path).partition("\n---\n")
    if not divider:
        raise LabelledDataError(
            f"{path}: no line '---' after the header", "begin the file with title:, agency:, …, ---"
        )
    meta = dict(line.split(":", 1) for line in head.splitlines() if ":" in line)
    meta = {k.strip(): v.strip() for k, v in meta.items()}
    missing = [k for k in HEADER_KEYS if not meta.get(k)]
    if missing:
        raise LabelledDataError(f"{path}: header lacks {', '.join(missing)}", "add the missing keys")
    items: list[LabelledItem] = []
    headings: list[str] = []
    lead_ins: dict[int, str] = {}
    first = head.count("\n") + 3
    for number, line in enumerate(body.split("\n"), first):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        if match := re.match(r"(#+) (.+)$", line):
            level = len(match[1])
            headings = [*headings[: level - 1], match[2].strip()]
            lead_ins.clear()
            items.append(
                LabelledItem("heading", match[2].strip(), level, heading=" > ".join(headings[:-1]), line=number)
            )
            continue
        indent = len(line) - len(line.lstrip(" "))
        text = line.strip()
        if text.startswith("~ "):
            items.append(LabelledItem("furniture", text[2:].strip(), line=number))
            continue
        joined = text.startswith("| ")
        text = text[2:].strip() if joined else text
        labels: dict[str, str | None] = {}
        conditions: tuple[Condition, ...] = ()
        hard = False
        if match := LABELS_AT_END.search(text):
            text = text[: match.start()]
            labels, conditions, hard = parse_labels(match[1], where, codebook)
        if not text:
            raise LabelledDataError(f"{where}: labels without a clause", "write the clause before its labels")
        if joined and not items:
            raise LabelledDataError(f"{where}: nothing above that '| ' could go on from", "begin the line without '| '")
        if indent % 2:
            raise LabelledDataError(f"{where}: indent of {indent} spaces", "indent by two spaces a level")
        if "{" in text or "}" in text:
            raise LabelledDataError(f"{where}: braces inside the text", "labels stand once, at the end of the line")
        depth = indent // 2
        lead_ins = {d: t for d, t in lead_ins.items() if d < depth}
        context = " ".join(lead_ins[d] for d in sorted(lead_ins))
        if joined and items[-1].text.endswith((".", "?")) and not read_mark(text):
            context = ""  # a further sentence of the same item: the lead-in governs the first alone
        for condition in conditions:
            above = " ".join(lead_ins[d] for d in sorted(lead_ins))
            if not condition.text.strip() or fold(condition.text) not in fold(f"{above} {text}"):
                raise LabelledDataError(
                    f"{where}: condition words {condition.text!r} are not in the clause", "quote them verbatim"
                )
        if LEAD_IN_END.search(text):
            lead_ins[depth] = text
        items.append(
            LabelledItem("clause", text, depth, joined, " > ".join(headings), context, labels, conditions, hard, number)
        )
    known = {k: meta[k] for k in (*HEADER_KEYS, "date", "county") if k in meta}
    return LabelledDocument(id=path.stem, path=str(path), items=tuple(items), **known)


def read_policies(folder: Path) -> list[LabelledDocument]:
    """All `.policy` files below a folder, in the order of their paths. Raises LabelledDataError, also where there is none."""
    codebook = load_codebook()
    documents = [read_policy(path, codebook) for path in sorted(folder.rglob("*.policy"))]
    if not documents:
        raise LabelledDataError(f"{folder}: no .policy files", "name the folder that holds the labelled documents")
    paths: dict[str, str] = {}
    for document in documents:
        if document.id in paths:
            raise LabelledDataError(
                f"{document.path}: same name as {paths[document.id]}", "give each document a name of its own"
            )
        paths[document.id] = document.path
    return documents


def held_out_ids(data: Path) -> frozenset[str]:
    """Documents that no model learns from: the ids in `held_out.txt` beside the folder of documents."""
    listed = data.parent / "held_out.txt"
    if not listed.is_file():
        return frozenset()
    lines = (line.strip() for line in listed.read_text(encoding="utf-8").splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def training_documents(data: Path) -> list[LabelledDocument]:
    """The labelled documents below a folder that a model may learn from. Raises LabelledDataError if there are none."""
    apart = held_out_ids(data)
    documents = [d for d in read_policies(data) if d.id not in apart]
    if not documents:
        raise LabelledDataError(f"{data}: no labelled documents", "name a folder of .policy files with --data")
    return documents


def read_evaluation(path: Path) -> list[LabelledDocument]:
    """A labelled JSONL file in the evaluation's format: one document a line with `units` and `labels`.

    Raises LabelledDataError with the line that breaks the format.
    """
    practices = set(load_codebook().practice_ids)
    documents = []
    for number, line in enumerate(read_labelled_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if unknown := {practice for labels in record["labels"] for practice, *_ in labels} - practices:
                raise ValueError(f"unknown practice {', '.join(sorted(unknown))}")
            items = tuple(
                LabelledItem(
                    "clause",
                    text,
                    labels={practice: stance for practice, stance, *_ in labels},
                    conditions=tuple(
                        Condition(c, "")
                        for c in sorted({c for _, _, *rest in labels for c in (rest[0] if rest else [])})
                    ),
                    line=number,
                )
                for text, labels in zip(record["units"], record["labels"], strict=True)
            )
            documents.append(
                LabelledDocument(
                    id=record["id"],
                    path=str(path),
                    title=record.get("title", ""),
                    agency=record.get("agency", ""),
                    kind=record.get("kind", ""),
                    family=record.get("kind", ""),
                    state=record.get("state", ""),
                    hand="",
                    items=items,
                    source_text="\n".join(line.strip() for line in record.get("text", "").split("\n") if line.strip()),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LabelledDataError(
                f"{path}:{number}: not a labelled document ({error})", "see the evaluation format"
            ) from error
    return documents


def words(text: str) -> list[str]:
    """Words in lower case, numbers included, without punctuation."""
    return re.findall(r"[a-z0-9]+", text.lower())


def near_duplicates(
    documents: Iterable[LabelledDocument], size: int = 5, overlap: float = 0.6
) -> Iterator[tuple[str, str, float]]:
    """Pairs of clauses in different documents that share `overlap` of the smaller one's runs of `size` words.

    Yields ("path:line", "path:line", share of runs). Clauses of fewer than size + 3 words are left out: short rules repeat by nature.
    """
    runs: dict[tuple[str, ...], list[int]] = {}
    seen: list[tuple[str, str, int]] = []
    for document in documents:
        for clause in document.clauses:
            tokens = words(clause.text)
            grams = {tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}
            if len(tokens) < size + 3:
                continue
            here = f"{document.path}:{clause.line}"
            shared: dict[int, int] = {}
            for gram in grams:
                for other in runs.get(gram, ()):
                    shared[other] = shared.get(other, 0) + 1
            for other, count in sorted(shared.items()):
                name, place, total = seen[other]
                share = count / min(total, len(grams))
                if name != document.id and share >= overlap:
                    yield place, here, share
            seen.append((document.id, here, len(grams)))
            for gram in grams:
                runs.setdefault(gram, []).append(len(seen) - 1)

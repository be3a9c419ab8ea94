"""The stages in order, for one file: pages → clauses → predictions → findings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from classifier.clauses import Clause, split_document
from classifier.errors import UnreadableDocument
from classifier.findings import find
from classifier.limits import OUT_OF_MEMORY, OcrMode
from classifier.ocr import reader
from classifier.pages import Document, Page, read_document
from classifier.predictions import Model, Prediction, predict_document
from classifier.relevance import speaks_of_immigration
from classifier.scored import ScoredDocument, highest_scores, rules

__all__ = ["ScoredDocument", "highest_scores", "page_list", "rules", "score_file", "unread_reason"]


def score_file(path: Path, name: str, model: Model, thorough: bool = False, ocr: OcrMode = "auto") -> ScoredDocument:
    """Read, split and label one file. A file that can't be read gives a `failed` document with the reason, no exception.

    thorough: read every page of a long file with care, not only those that can matter. ocr: which pages of a PDF file
    are read by OCR, as `ocr.reader` has it.
    """
    began = time.perf_counter()
    try:
        document = read_document(path, reader(ocr), speaks_of_immigration, thorough)
        return _score_document(document, name, model, began)
    except UnreadableDocument as error:
        reason = str(error).removeprefix(f"{path}: ")
    except MemoryError:
        reason = OUT_OF_MEMORY
    except Exception as error:  # whatever one odd file provokes, the others of its batch must be scored
        reason = f"this file can't be processed ({type(error).__name__}: {error}); save a copy in another format"
    return ScoredDocument(
        name, "failed", reason, 0, 0, 0, (), (), tuple(find([], fully_read=False)), (), time.perf_counter() - began
    )


def _score_document(document: Document, name: str, model: Model, began: float) -> ScoredDocument:
    clauses = split_document(document, name)
    predictions = _with_review(predict_document(document, clauses, model), clauses, document)
    unread = [p for p in document.pages if p.status == "unread"]
    read = sum(p.status != "unread" for p in document.pages)
    status = "ok" if not unread else "failed" if not read else "partial"
    findings = find(rules(clauses, predictions), not unread, highest_scores(predictions))
    first = tuple(line.text for page in document.pages[:1] for line in page.lines)
    methods = Counter(p.method for p in document.pages)
    confidence = tuple((p.number, p.confidence) for p in document.pages if p.confidence is not None)
    return ScoredDocument(
        name, status, unread_reason(document), len(document.pages), read, methods["ocr"], tuple(clauses),
        tuple(predictions), tuple(findings), first, time.perf_counter() - began, methods["pdfium"], confidence,
        "; ".join(filter(None, (document.note, read_with_doubt(document)))),
    )  # fmt: skip


def _with_review(
    predictions: Sequence[Prediction | None], clauses: Sequence[Clause], document: Document
) -> list[Prediction | None]:
    """The predictions, those on pages that OCR is unsure of sent to a person whatever the model says."""
    unsure = {page.number for page in document.pages if page.method == "ocr" and page.reason}
    return [
        replace(prediction, review=True) if prediction and clause.page in unsure else prediction
        for prediction, clause in zip(predictions, clauses, strict=True)
    ]


def unread_reason(document: Document) -> str:
    """Which pages were not read, and why: "pages 3-5: scanned image without a text layer"."""
    return _reasons(page for page in document.pages if page.status == "unread")


def read_with_doubt(document: Document) -> str:
    """Which pages were read though a person should look at them, and why: "page 4: OCR is unsure of its words"."""
    return _reasons(page for page in document.pages if page.status != "unread")


def _reasons(pages: Iterable[Page]) -> str:
    by_reason: dict[str, list[int]] = {}
    for page in pages:
        if page.reason:
            by_reason.setdefault(page.reason, []).append(page.number)
    return "; ".join(f"{page_list(numbers)}: {reason}" for reason, numbers in by_reason.items())


def page_list(numbers: Sequence[int]) -> str:
    """[1, 2, 3, 7] → "pages 1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
    return f"page{'s' if len(numbers) > 1 else ''} {shown}"

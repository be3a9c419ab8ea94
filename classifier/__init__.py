"""Reads policies on dealing with ICE, clause by clause, and shows the evidence.

PDF → pages → clauses → predictions → findings

read_document    file → Document(Page, Line)              pages
split_document   Document → [Clause]                      clauses
load_model       a folder of models/ → Model              predictions
predict_clauses  [Clause] + Model → [Prediction]          predictions
find             labels → what the text says about each practice   findings
score_file       all of it, for one file                  pipeline
score_paths      all of it, for many → Evidence, as tables    evidence
load_codebook    every label with its definition          codebook
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.clauses import split_document
    from classifier.codebook import load_codebook
    from classifier.evidence import score_paths
    from classifier.findings import find
    from classifier.pages import read_document
    from classifier.pipeline import score_file
    from classifier.predictions import load_model, predict_clauses

__all__ = [
    "find",
    "load_codebook",
    "load_model",
    "predict_clauses",
    "read_document",
    "score_file",
    "score_paths",
    "split_document",
]

_HOMES = {
    "find": "findings",
    "load_codebook": "codebook",
    "load_model": "predictions",
    "predict_clauses": "predictions",
    "read_document": "pages",
    "score_file": "pipeline",
    "score_paths": "evidence",
    "split_document": "clauses",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `clauses --help` must not wait for spaCy and scikit-learn."""
    if name in _HOMES:
        return getattr(import_module(f"classifier.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'classifier' has no attribute {name!r}")

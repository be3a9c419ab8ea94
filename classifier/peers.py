"""What simple things reach on the same clauses: keyword rules, and TF-IDF with logistic regression on the clause alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from classifier.citations import find_lunn
from classifier.clauses import Clause
from classifier.codebook import load_codebook
from classifier.evaluation import Given, Labeller
from classifier.labelled import LabelledDocument

_ICE = r"\b(?:ICE|ERO|DHS|immigration (?:and customs|officials?|authorities|agents?|officers?)|homeland security)\b"
KEYWORDS: dict[str, str] = {
    "notifies_ice_on_release": rf"(?=.*{_ICE})(?=.*\b(?:releas|discharg|bail))(?=.*\b(?:notif|advis|inform|call|tell|contact))",
    "shares_intake_logs": rf"(?=.*{_ICE})(?=.*\b(?:booking|intake|roster|log|commitment|arrest list))",
    "honors_detainers": r"\b(?:detainers?|immigration hold|I-247)\b|transfer.*custody.*(?:ICE|immigration)",
    "checks_immigration_status": r"(?:ask|inquir|question|investigat|verif|determin|quer)\w*.*\b(?:immigration status|citizenship|nationality|alienage)",
    "shares_information_with_ice": rf"(?=.*{_ICE}|.*1373)(?=.*\b(?:inform|disclos|shar|provid|exchang|send))",
    "shares_fingerprints": r"fingerprint.*(?:immigration|DHS|ICE|secure communities)|secure communities",
    "makes_immigration_arrests": r"(?:arrest|detain|stop)\w*.*(?:administrative warrant|immigration|unlawful presence|removal)",
    "assists_ice_operations": rf"(?=.*{_ICE}|.*immigration enforcement)(?=.*\b(?:assist|joint|task force|support|resources|operation))",
    "grants_ice_access": rf"(?=.*{_ICE})(?=.*\b(?:access|interview|enter))",
    "deputizes_officers_287g": r"287\s?\(g\)|1357\s?\(g\)",
    "detains_for_ice_under_contract": r"\b(?:IGSA|per diem)\b|(?:contract|agreement).*(?:hous|detain|bed)\w*.*immigration",
    "informs_the_person": r"(?:copy|notice|inform|advis)\w*.*(?:person|inmate|individual|detainee).*(?:detainer|request|interview)",
    "reviews_before_acting": r"(?:supervisor|counsel|commander)\w*.*(?:review|approv).*(?:detainer|warrant|request)",
    "protects_victims_and_witnesses": r"\b[UT][- ]?(?:nonimmigrant |and T )?visas?\b|(?:victims?|witness\w*).*(?:immigration|status)",
    "protects_juveniles": r"(?:juvenile|minor|under (?:18|eighteen)).*(?:immigration|ICE|detainer)",
    "records_and_reports_contacts": rf"(?=.*{_ICE}|.*detainer|.*this policy)(?=.*\b(?:log|record|report|document|train))",
}
_COMPILED = {practice: re.compile(pattern, re.I | re.S) for practice, pattern in KEYWORDS.items()}
_STANCES = (
    ("limits", re.compile(r"\b(?:unless|only|except|without a (?:judicial|criminal))\b", re.I)),
    (
        "prohibits",
        re.compile(
            r"\b(?:shall not|will not|may not|must not|do not|does not|no authority|prohibited|never|cannot)\b", re.I
        ),
    ),
    ("requires", re.compile(r"\b(?:shall|must|will|required)\b", re.I)),
    ("permits", re.compile(r"\b(?:may|can|authorized|permitted)\b", re.I)),
)


def keyword_stance(text: str) -> str:
    """The stance of the first pattern that matches: limits, prohibits, requires, permits, else states."""
    return next((stance for stance, pattern in _STANCES if pattern.search(text)), "states")


def keyword_rules(_: Sequence[LabelledDocument] = ()) -> Labeller:
    """Keyword rules for every practice; they learn nothing."""

    def label(clauses: Sequence[Clause]) -> list[list[Given]]:
        found = []
        for clause in clauses:
            text = clause.text if clause.kind == "clause" else ""
            labels = [Given(p, keyword_stance(text)) for p, pattern in _COMPILED.items() if pattern.search(text)]
            found.append(labels + ([Given("cites_lunn", None)] if find_lunn(text) else []))
        return found

    return label


def plain_regression(documents: Sequence[LabelledDocument]) -> Labeller:
    """TF-IDF of words and pairs of the clause alone, one logistic regression a practice, one for the stance."""
    clauses = [c for d in documents for c in d.clauses]
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    matrix = vectorizer.fit_transform([c.text for c in clauses])
    practices = [p for p in load_codebook().practice_ids if sum(p in c.labels for c in clauses) > 1]
    models = {
        p: LogisticRegression(C=10, solver="liblinear").fit(matrix, [p in c.labels for c in clauses]) for p in practices
    }
    stanced = [(i, s) for i, c in enumerate(clauses) for s in c.labels.values() if s]
    stance = LogisticRegression(C=10, max_iter=400).fit(matrix[[i for i, _ in stanced]], [s for _, s in stanced])

    def label(found: Sequence[Clause]) -> list[list[Given]]:
        features = vectorizer.transform([c.text if c.kind == "clause" else "" for c in found])
        stances = stance.predict(features)
        given: list[list[Given]] = [[] for _ in found]
        for practice, model in models.items():
            for i in model.predict(features).nonzero()[0]:
                given[i].append(Given(practice, None if practice == "cites_lunn" else str(stances[i])))
        return given

    return label

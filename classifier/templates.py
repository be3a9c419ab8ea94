"""Near-copies of clauses across departments → templates, their members and local edits, and policies that share most text.

    found = templates(evidence)
    for edit in edits(evidence, found, found.templates["template"][0]): print(marked(edit.pieces))

Clauses are met by MinHash over runs of words, so the work grows with the number of clauses, not of pairs.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz.distance import Indel
from scipy.sparse import csr_matrix

from classifier.evidence import Evidence, rows_of
from classifier.labelled import words
from classifier.wording import NEAR_COPY, Folded, Piece, difference, full_words

SHORTEST = 8  # words; shorter rules repeat by nature
RUN = 2  # words in a row that are hashed together; with 3, scattered edits tear too many apart (recall 0.92, not 0.97)
# 40 bands of 3 hashes: clauses that share 0.7 of their runs meet in 99.9999 % of cases, 0.4 in 93 %, 0.05 in 0.5 %.
BANDS, ROWS = 40, 3
_FULLEST = 64  # common texts that one band can hold: a formula that thousands begin with must not cost thousands each
_MOST_TRIED = 24  # common texts that a clause is compared with, those that it met most often
MOST_OF_A_POLICY = 0.5
_FEWEST_SHARED = 3  # clauses


@dataclass(frozen=True, slots=True)
class Templates:
    """Texts that several departments use.

    templates: template (an id made of its text), text (the most common wording), clause (one that has it), clauses,
        departments, documents, wordings (counts). The most widespread first.
    members: template, clause, department, document, share (of words in common with the text, NEAR_COPY to 1). A clause is
        in one template at most.
    policies: document, department, other, other_department, shared (clauses of the first that have a near-copy in the
        other), share (of its clauses that are long enough). Pairs of documents of different departments where most of
        the shorter one is in the other; it stands first.
    """

    templates: pd.DataFrame
    members: pd.DataFrame
    policies: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Edit:
    """How one member's words differ from the common text, lead-ins included."""

    clause: str
    department: str
    document: str
    page: int
    pieces: tuple[Piece, ...]


def templates(evidence: Evidence) -> Templates:
    """Find the texts that clauses of at least two departments have in common."""
    clauses = evidence.clauses[evidence.clauses["kind"] == "clause"].reset_index(drop=True)
    leader, share = near_copies(list(clauses["text"]))
    found = clauses[["clause", "department", "document"]].assign(leader=leader, share=share)
    widespread = found.groupby("leader")["department"].transform("nunique") > 1
    long = np.fromiter((len(words(text)) >= SHORTEST for text in clauses["text"]), bool, len(clauses))
    found = found[widespread]
    ids = {n: _id_of(clauses["text"].iloc[n]) for n in found["leader"].unique()}
    members = found.assign(template=found["leader"].map(ids).astype("str"))
    said = clauses.loc[found.index, "text"].map(lambda text: " ".join(words(text)))
    table = (
        members.assign(said=said)
        .groupby("leader", sort=True)
        .agg(
            template=("template", "first"),
            clauses=("clause", "size"),
            departments=("department", "nunique"),
            documents=("document", "nunique"),
            wordings=("said", "nunique"),
        )
    )
    leading = clauses.loc[table.index]
    table = table.assign(text=full_words(leading), clause=leading["clause"].to_numpy())
    table = table.sort_values(["departments", "clauses"], ascending=False, kind="stable").reset_index(drop=True)
    columns = "template text clause clauses departments documents wordings".split()
    members = members["template clause department document share".split()].reset_index(drop=True)
    lengths = clauses.loc[long, "document"].value_counts()
    return Templates(table[columns], members, _policies(members, lengths))


def near_copies(texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """For each text the place of the text that it is a near-copy of, and the share of words in common, both (len(texts),).

    The places are a partition: a text that others are copies of is its own, and every member shares at least NEAR_COPY
    with it. The commonest wordings come first, so they are what others are copies of. A text of fewer than SHORTEST words
    stands alone.
    """
    leader = np.arange(len(texts))
    share = np.ones(len(texts))
    same: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        said = words(text)
        if len(said) >= SHORTEST:
            same[" ".join(said)].append(place)
    wordings = sorted(same.items(), key=lambda item: (-len(item[1]), item[1][0]))
    if not wordings:
        return leader, share
    folder = Folded()
    folded = [folder.fold(said) for said, _ in wordings]
    buckets: list[dict[int, list[int]]] = [{} for _ in range(BANDS)]
    for n, keys in enumerate(_band_keys(folded).tolist()):
        met = Counter(other for bucket, key in zip(buckets, keys, strict=True) for other in bucket.get(key, ()))
        best, how_near = n, 1.0
        nearest = max(
            ((Indel.normalized_similarity(folded[n], folded[o]), -o) for o, _ in met.most_common(_MOST_TRIED)),
            default=(0.0, 0),
        )
        if nearest[0] >= NEAR_COPY:
            best, how_near = -nearest[1], nearest[0]
        else:
            for bucket, key in zip(buckets, keys, strict=True):
                if len(held := bucket.setdefault(key, [])) < _FULLEST:
                    held.append(n)
        leader[wordings[n][1]] = wordings[best][1][0]
        share[wordings[n][1]] = how_near
    return leader, share


def edits(evidence: Evidence, found: Templates, template: str) -> list[Edit]:
    """How each member of a template differs from its common text, the nearest first; a KeyError for no such template."""
    common = found.templates.set_index("template").loc[template, "text"]
    of_it = found.members[found.members["template"] == template].sort_values("share", ascending=False, kind="stable")
    rows = evidence.clauses[evidence.clauses["clause"].isin(of_it["clause"])].assign(words=full_words)
    by_id = {c.clause: c for c in rows_of(rows)}
    return [
        Edit(c.clause, c.department, c.document, c.page, difference(str(common), c.words))
        for c in (by_id[clause] for clause in of_it["clause"])
    ]


def counts(evidence: Evidence, found: Templates) -> pd.DataFrame:
    """Findings counted by department and by text, (practices × verdicts that occur): practice, verdict, departments, texts.

    texts: departments whose finding rests first of all on a clause of the same template count once; missing where a
    verdict rests on no clause.
    """
    template_of = dict(zip(found.members["clause"], found.members["template"], strict=True))
    texts_of = [template_of.get(f.clauses[0], f.department) if f.clauses else None for f in rows_of(evidence.findings)]
    by_text = pd.Series(texts_of, index=evidence.findings.index, dtype="str")
    table = evidence.findings[["practice", "verdict", "department"]].assign(text=by_text)
    counted = table.groupby(["practice", "verdict"], sort=False).agg(
        departments=("department", "nunique"), texts=("text", "nunique")
    )
    texts = counted["texts"].astype("Int64").where(counted["texts"] > 0)
    return counted.assign(texts=texts).reset_index()


def _id_of(text: str) -> str:
    return hashlib.sha256(" ".join(words(text)).encode()).hexdigest()[:12]


def _band_keys(folded: Sequence[str]) -> npt.NDArray[np.uint64]:
    """MinHash signatures, one key a band, (len(folded), BANDS). folded: at least RUN signs each."""
    lengths = np.fromiter(map(len, folded), np.int64, len(folded))
    signs = np.frombuffer("".join(folded).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    draw = np.random.default_rng(0)
    odd = draw.integers(0, 2**63, size=(BANDS * ROWS + RUN + ROWS), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    factors, mixers, joiners = odd[: BANDS * ROWS], odd[BANDS * ROWS : -ROWS], odd[-ROWS:]
    runs = np.zeros(len(signs), dtype=np.uint64)
    for n in range(RUN):  # the run that begins at each sign; those over a text's end are left out below
        runs[: len(signs) - n] += (signs[n:] * mixers[n]) ^ ((signs[n:] * mixers[n]) >> np.uint64(29))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    inside = np.ones(len(signs), dtype=bool)
    for n in range(1, RUN):
        inside[ends - n] = False
    runs = runs[inside]
    starts = starts - (RUN - 1) * np.arange(len(folded))
    keys = np.zeros((len(folded), BANDS), dtype=np.uint64)
    for n, factor in enumerate(factors):  # one hash function at a time: all at once would not fit into memory
        hashed = (runs * factor) ^ ((runs * factor) >> np.uint64(32))
        least = np.minimum.reduceat(hashed * factor, starts)
        keys[:, n // ROWS] += least * joiners[n % ROWS]
    return keys


def _policies(members: pd.DataFrame, lengths: pd.Series[Any]) -> pd.DataFrame:
    """Pairs of documents that share most of the shorter one. lengths: document → clauses that are long enough to be shared."""
    documents = members.drop_duplicates("document").set_index("document")["department"]
    row = pd.Series(np.arange(len(documents)), index=documents.index)
    kinds, column = np.unique(members["template"].to_numpy(), return_inverse=True)
    place = row[members["document"]].to_numpy()
    shape = (len(documents), len(kinds))
    count = csr_matrix((np.ones(len(members)), (place, column)), shape=shape)
    shared = (count @ (count > 0).astype(float).T).tocoo()  # clauses of the one that have a near-copy in the other
    size = lengths[documents.index].to_numpy()
    name, whose = documents.index.to_numpy(), documents.to_numpy()
    rows = [
        (name[a], whose[a], name[b], whose[b], int(n), n / size[a])
        for a, b, n in sorted(zip(shared.row.tolist(), shared.col.tolist(), shared.data.tolist(), strict=True))
        if whose[a] != whose[b]
        and (size[a], a) < (size[b], b)
        and n >= _FEWEST_SHARED
        and n / size[a] >= MOST_OF_A_POLICY
    ]
    table = pd.DataFrame(rows, columns="document department other other_department shared share".split())
    return table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)

"""How long templates take: `python tests/benchmarks/templates.py [CLAUSES]` prints seconds, peak memory and recall.

The clauses are the project's own, each in several departments with up to three words changed, 50,000 in all. Recall: the
share of pairs of copy and original, near enough to be near-copies, that ended up in one template.
"""

from __future__ import annotations

import random
import resource
import sys
import time

import pandas as pd
from rapidfuzz.distance import Indel

from classifier.codebook import project_data
from classifier.evidence import Evidence
from classifier.labelled import read_policies, words
from classifier.templates import SHORTEST, templates
from classifier.wording import NEAR_COPY, Folded

COPIES = 10
EMPTY = pd.DataFrame()


def copies(count: int) -> tuple[pd.DataFrame, list[str]]:
    """A table of clauses, and for each the text that it was copied from."""
    draw = random.Random(0)
    documents = read_policies(project_data("training_data") / "documents")
    originals = sorted({c.text for d in documents for c in d.clauses})
    draw.shuffle(originals)
    vocabulary = sorted({word for text in originals for word in text.split()})
    rows, sources = [], []
    for n in range(count):
        source = originals[n // COPIES % len(originals)] if n % 2 else originals[n % len(originals)]
        said = source.split()
        for _ in range(draw.randint(0, 3)):
            said[draw.randrange(len(said))] = draw.choice(vocabulary)
        department = f"Department {n % COPIES * 40 + n // COPIES % 40:03}"
        rows.append((f"{n:012x}", department, department, n, "clause", 1, "", "", " ".join(said), ()))
        sources.append(source)
    return pd.DataFrame(
        rows, columns="clause document department place kind page heading context text boxes".split()
    ), sources


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    clauses, sources = copies(count)
    evidence = Evidence(EMPTY, EMPTY, clauses, EMPTY, EMPTY, EMPTY)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, busy = time.perf_counter(), time.process_time()
    found = templates(evidence)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    template_of = dict(zip(found.members["clause"], found.members["template"], strict=True))
    folder = Folded()
    near = met = 0
    by_source: dict[str, list[tuple[str, str]]] = {}
    for clause, text, source in zip(clauses["clause"], clauses["text"], sources, strict=True):
        for other, said in by_source.get(source, [])[:1]:
            alike = Indel.normalized_similarity(folder.fold(text), folder.fold(said))
            if alike >= NEAR_COPY and min(len(words(text)), len(words(said))) >= SHORTEST:
                near += 1
                met += clause in template_of and template_of[clause] == template_of.get(other)
        by_source.setdefault(source, []).append((clause, text))
    print(
        f"{count} clauses: {seconds:.1f} s ({busy:.1f} s of one core), peak {peak / 1024:.0f} MB ({before / 1024:.0f} MB before)"
    )
    print(
        f"{len(found.templates)} templates, {len(found.members)} members, {len(found.policies)} pairs of policies; recall {met / near:.3f}"
    )


if __name__ == "__main__":
    main()

"""How fast the model labels: `python tests/benchmarks/labelling.py` prints clauses a second on one core, load time and size.

The clauses are the project's own documents, each read whole, as `clauses score` does; reading and splitting are left out.
For comparison the same clauses go through plain TF-IDF of words and pairs of words with one linear machine a practice,
which is the least that labelling can cost.
"""

from __future__ import annotations

import time

from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.codebook import project_data
from classifier.concepts import fold_words
from classifier.evaluation import text_clauses
from classifier.features import field_features, immigration_words
from classifier.labelled import read_policies
from classifier.predictions import latest_model, load_model, predict_clauses

ROUNDS = 5


def main() -> None:
    """Print the figures of the best of some rounds."""
    began = time.perf_counter()
    model = load_model()
    loading = time.perf_counter() - began
    size = sum(file.stat().st_size for file in latest_model().iterdir() if file.suffix in (".npz", ".gz", ".json"))
    documents = [text_clauses(d.text) for d in read_policies(project_data("training_data") / "documents")[:120]]
    texts = [c.text for d in documents for c in d if c.kind == "clause"]
    plain = TfidfVectorizer(ngram_range=(1, 2), vocabulary=model.practice_part.vocabulary, sublinear_tf=True)
    plain.idf_ = model.practice_part.idf
    ours, least = [], []
    for _ in range(ROUNDS):
        for cache in (fold_words, field_features, immigration_words):
            cache.cache_clear()
        began = time.process_time()
        for document in documents:
            predict_clauses(document, model)
        ours.append(time.process_time() - began)
        began = time.process_time()
        plain.transform(texts) @ model.practice_part.weights
        least.append(time.process_time() - began)
    print(f"{len(texts)} clauses: {len(texts) / min(ours):,.0f} a second on one core")
    print(
        f"plain TF-IDF of words and pairs: {len(texts) / min(least):,.0f} a second; ratio {min(ours) / min(least):.1f}"
    )
    print(f"load {loading:.2f} s, model {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

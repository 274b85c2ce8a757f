"""What the words alone give away: a bag of character n-grams judged on the same folds as the probe.

A probe that is no better than this may be reading the text instead of the model. Source of the
warning: "text leakage" (arXiv 2509.21344).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from brainscan.probes.protocol import Floats
from brainscan.probes.validate import Labelled


def text_only_scores(texts: Sequence[str], data: Labelled) -> Floats:
    """Held-out log-odds [n] of a logistic regression on character 1- to 4-grams of words.

    Args:
        texts: one a row of ``data``, whose labels and templates are used and activations are not.

    Raises:
        UsageError: leaving one template out leaves nothing of one class.
    """
    words = np.array(texts, dtype=object)
    scores = np.empty(len(texts))
    for train, held in data.folds():
        grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
        model.fit(grams.fit_transform(words[train]), data.y[train])
        scores[held] = model.decision_function(grams.transform(words[held]))
    return scores

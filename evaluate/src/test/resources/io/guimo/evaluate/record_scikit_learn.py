"""Records what scikit-learn says of seeded random predictions: python record_scikit_learn.py > scikit-learn.json (scikit-learn, numpy)."""

import json
import sys

import numpy as np
import sklearn
from sklearn import metrics

random = np.random.default_rng(20261122)
cases = []
for classes, rows in ((2, 40), (3, 200), (10, 500)):
    # The last label is never predicted in the second case and never true in the third: the undefined ratios.
    truth = random.integers(0, classes - (1 if classes == 10 else 0), rows)
    logits = random.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[truth]
    if classes == 3:
        logits[:, 2] = -50
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    predicted = probabilities.argmax(1)
    labels = list(range(classes))
    case = {
        "classes": classes,
        "truth": truth.tolist(),
        "probabilities": probabilities.tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "logLoss": metrics.log_loss(truth, probabilities, labels=labels),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
    }
    for average in ("macro", "micro"):
        p, r, f, _ = metrics.precision_recall_fscore_support(truth, predicted, labels=labels, average=average, zero_division=0)
        case[average] = [p, r, f]
    p, r, f, s = metrics.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    case["perClass"] = [[float(v) for v in row] for row in zip(p, r, f, s)]
    if classes == 2:
        rounded = np.round(probabilities[:, 1], 1)  # with ties
        case["rocAuc"] = metrics.roc_auc_score(truth, rounded)
    cases.append(case)

ranking_scores = random.normal(size=(60, 122))
held_out = random.integers(0, 122, 60)
relevance = np.eye(122)[held_out]
ranks = [int((row >= row[item]).sum()) for row, item in zip(ranking_scores, held_out)]
ranking = {
    "scores": ranking_scores.round(6).tolist(),
    "heldOut": held_out.tolist(),
    "ndcgAt10": metrics.ndcg_score(relevance, ranking_scores, k=10),
    "hitRateAt10": metrics.top_k_accuracy_score(held_out, ranking_scores, k=10, labels=range(122)),
    "mrr": metrics.label_ranking_average_precision_score(relevance, ranking_scores),
}
json.dump({"scikitLearn": sklearn.__version__, "classification": cases, "ranking": ranking}, sys.stdout)

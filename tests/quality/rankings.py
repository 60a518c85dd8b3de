"""What is right among what was found, and how two rankings become one: worked out without any code of the host's."""
import math
import operator

from labelled_set import LIMIT

K = 5                      # reciprocal rank fusion
WEIGHT_OF_WORDS = 0.8      # that of meaning is 1
DEPTH = 4                  # so many times the limit is looked at in each ranking


def nearest(vectors, memories, query):
    """Keys of all that point the same way at all, by cosine, best first."""
    asked = vectors[query]
    cosine = {m.key: sum(map(operator.mul, asked, vectors[m.text])) / math.hypot(*vectors[m.text]) for m in memories}
    return sorted((key for key in cosine if cosine[key] > 0), key=cosine.get, reverse=True)


def fused(words, near):
    """{key: score}"""
    scores = {}
    for ranking, weight in ((words, WEIGHT_OF_WORDS), (near, 1)):
        for rank, key in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0) + weight / (K + rank)
    return scores


def recall(found, right):
    return len(set(found[:LIMIT]) & set(right)) / len(right)


def reciprocal_rank(found, right):
    return next((1 / rank for rank, key in enumerate(found[:LIMIT], 1) if key in right), 0)


class Scores:
    """Of one way of searching: recall@5 and mean reciprocal rank within those five, of each class and of all."""

    def __init__(self, queries, found):
        self.of_class = {}
        for query, keys in zip(queries, found, strict=True):
            for kind in (query.kind, "all"):
                self.of_class.setdefault(kind, []).append((recall(keys, query.right), reciprocal_rank(keys, query.right)))

    def recall(self, kind="all"):
        return sum(one for one, _ in self.of_class[kind]) / len(self.of_class[kind])

    def mrr(self, kind="all"):
        return sum(one for _, one in self.of_class[kind]) / len(self.of_class[kind])


def table(title, ways):
    """ways: {name: Scores}"""
    kinds = list(next(iter(ways.values())).of_class)
    kinds = [kind for kind in kinds if kind != "all"] + ["all"]
    lines = [title, f"{'':14}{'':>8}" + "".join(f"{name:>22}" for name in ways), f"{'class':14}{'queries':>8}" + f"{'recall@5':>14}{'MRR':>8}" * len(ways)]
    for kind in kinds:
        lines.append(f"{kind:14}{len(next(iter(ways.values())).of_class[kind]):8}" + "".join(f"{scores.recall(kind):14.3f}{scores.mrr(kind):8.3f}" for scores in ways.values()))
    return "\n".join(lines)

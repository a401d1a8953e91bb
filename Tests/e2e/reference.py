"""The reference fixtures: sequences with the answers they must get."""

import dataclasses
import functools
import json

import numpy
from safetensors.numpy import load_file

from seqnorm import ROOT

FOLDER = ROOT / "Tests/Fixtures/reference"
ALPHABET = "ACDEFGHIKLMNPQRSTVWY"
DATA = {
    "vowels-cnn": FOLDER / "data/japanese-vowels/test.jsonl",
    "vowels-bnlstm": FOLDER / "data/japanese-vowels/test.jsonl",
    "peptide-bytenet": FOLDER / "data/peptides/test.jsonl",
}
RIGHT = {"vowels-cnn": 99.46, "peptide-bytenet": 92.95, "vowels-bnlstm": 98.11}
PLAIN = sorted((FOLDER / "models/vowels-plain-bn").glob("eval-*.onnx"))


@dataclasses.dataclass(frozen=True)
class Case:
    """Sequences for a model, and the logits each must get whatever stands beside it."""

    name: str
    model: str
    instances: list
    logits: numpy.ndarray
    tolerance: float = 1e-5

    def __repr__(self):
        return self.name


@functools.cache
def rows(model):
    """The lines of a model's test set."""
    return [json.loads(line) for line in DATA[model].read_text().splitlines()]


@functools.cache
def sequences(model):
    return [row["sequence"] for row in rows(model)]


@functools.cache
def tensors(name):
    return load_file(FOLDER / f"expected/inference/{name}.safetensors")


@functools.cache
def proteins():
    """Ids and sequences of proteins.fasta, in order."""
    records = []
    for line in (FOLDER / "data/proteins/proteins.fasta").read_text().splitlines():
        if line.startswith(">"):
            records.append([line[1:].split()[0], ""])
        elif line:
            records[-1][1] += line.strip()
    return records


def unpad(file, prefix="", layout="channels first"):
    """The sequences of a padded batch, each with its own length, time first."""
    if "tokens" in file and not prefix:
        return [tokens[:n].tolist() for tokens, n in zip(file["tokens"], file["length"])]
    lengths = file[f"{prefix}mask"].sum(axis=(1, 2)).astype(int)
    x = file[f"{prefix}x"]
    if layout == "channels first":
        x = x.transpose(0, 2, 1)
    return [steps[:n].astype(float).tolist() for steps, n in zip(x, lengths)]


@functools.cache
def cases():
    """Every case of expected/inference."""
    found = []
    for model in DATA:
        file = tensors(model)
        layout = "channels last" if model == "vowels-bnlstm" else "channels first"
        found.append(Case(f"{model} batch", model, unpad(file, layout=layout), file["predictions"]))
        found.append(Case(f"{model} test set", model, sequences(model), file["all.predictions"]))
    lstm = tensors("vowels-bnlstm")
    found.append(Case(
        "vowels-bnlstm beyond", "vowels-bnlstm", unpad(lstm, "beyond.", "channels last"), lstm["beyond.predictions"]))
    found.append(Case(
        "peptide-bytenet proteins", "peptide-bytenet", [sequence for _, sequence in proteins()],
        tensors("peptide-bytenet.proteins")["predictions"]))
    plain = tensors("vowels-plain-bn")
    for file in PLAIN:
        found.append(Case(f"{file.stem} batch", file.stem, unpad(plain), plain["predictions"]))
        found.append(Case(f"{file.stem} test set", file.stem, sequences("vowels-cnn"), plain["all.predictions"]))
    return found


def difference(got, expected):
    """The largest absolute difference; NaN counts as infinite."""
    got = numpy.asarray(got, dtype=numpy.float64)
    assert got.shape == expected.shape, (got.shape, expected.shape)
    return float(numpy.nan_to_num(numpy.abs(got - expected), nan=numpy.inf).max())

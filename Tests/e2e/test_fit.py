"""seqnorm fit: from features to a model that is served."""

import json

import numpy
import onnx
import pytest

import reference
from freezing import TRAINING_DATA
from seqnorm import run
from test_graphs import distance, runs


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit") / "vowels"
    done = run("fit", TRAINING_DATA["vowels-cnn"], "-o", folder)
    assert done.returncode == 0, done.stderr
    return folder


def features(path):
    rows = [json.loads(line)["sequence"] for line in path.read_text().splitlines()]
    return [numpy.asarray(row, numpy.float64) for row in rows]


def standardized(sequence):
    seen = numpy.concatenate(features(TRAINING_DATA["vowels-cnn"]))
    return (sequence - seen.mean(0)) / numpy.sqrt(seen.var(0) + 1e-5)


def test_a_fitted_model_answers_normalize(fitted, start):
    server = start(paths=[fitted])
    sequences = reference.sequences("vowels-cnn")[:20]
    answer = server.post(f"/v1/models/{fitted.name}:normalize", {"instances": sequences})
    assert answer.status == 200, answer.body
    for got, sequence in zip(answer.json()["normalized"], sequences, strict=True):
        assert distance(got, standardized(numpy.asarray(sequence))) < 1e-5


def test_a_fitted_model_runs_in_onnxruntime(fitted):
    (path,) = fitted.rglob("model.onnx")
    onnx.checker.check_model(str(path), full_check=True)
    file = reference.tensors("vowels-cnn")
    ((outputs,),) = [each.values() for each in runs(str(path), [{"features": file["x"], "mask": file["mask"]}])]
    for y, x, mask in zip(outputs, file["x"], file["mask"][:, 0] > 0, strict=True):
        assert distance(y[:, mask].T, standardized(x[:, mask].T)) < 1e-5
        assert not y[:, ~mask].any()


def test_features_that_do_not_go_together_name_the_line(tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"sequence": [[1, 2]]}\n{"sequence": [[1, 2, 3]]}\n')
    done = run("fit", tmp_path / "bad.jsonl", "-o", tmp_path / "model")
    assert done.returncode == 1 and b"bad.jsonl" in done.stderr and b"2" in done.stderr
    assert not (tmp_path / "model").exists()

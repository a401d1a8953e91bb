"""The labelled graphs of Examples are frozen, and give in onnxruntime what their population's statistics say."""
import json
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from seqnorm import BINARY, ROOT


def freeze(*arguments):
    return subprocess.run([str(BINARY), "freeze", *map(str, arguments)], capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("example, origin", [("onnx", "label on its node"), ("onnxscript", "label in the metadata")])
def test_the_labelled_example_is_frozen_over_valid_positions(example, origin, tmp_path):
    train, data, frozen = tmp_path / "train.onnx", tmp_path / "data.jsonl", tmp_path / "frozen.onnx"
    subprocess.run([sys.executable, str(ROOT / f"Examples/{example}/label.py"), str(train)], check=True, timeout=300)
    numbers = np.random.default_rng(3)
    sequences = [numbers.normal(3, 2, (length, 4)).astype(np.float32) for length in numbers.integers(1, 30, 50)]
    data.write_text("".join(json.dumps(each.tolist()) + "\n" for each in sequences))

    done = freeze(train, "--data", data, "--output", frozen, "--batch-size", 8, "--seed", 5)
    assert done.returncode == 0, done.stderr
    assert origin in done.stdout

    rows = np.concatenate(sequences).astype(np.float64)
    mean, variance = rows.mean(0), rows.var(0)
    session = onnxruntime.InferenceSession(str(frozen), providers=["CPUExecutionProvider"])
    for sequence in sequences[:10]:
        inputs = {"x": sequence.T[None], "mask": np.ones((1, 1, len(sequence)), np.float32)}
        (found,) = session.run(None, inputs)
        expected = (sequence - mean) / np.sqrt(variance + 1e-5)
        np.testing.assert_allclose(found[0].T, expected, rtol=0, atol=1e-5)


def test_every_seed_gives_the_pooled_statistics_of_a_first_normalization(tmp_path):
    train, data = tmp_path / "train.onnx", tmp_path / "data.jsonl"
    subprocess.run([sys.executable, str(ROOT / "Examples/onnx/label.py"), str(train)], check=True, timeout=300)
    numbers = np.random.default_rng(4)
    data.write_text("".join(json.dumps(numbers.normal(0, 1, (5, 4)).tolist()) + "\n" for _ in range(40)))
    tables = []
    for seed, size in [(0, 8), (1, 7), (2, 40)]:
        report = tmp_path / f"{seed}.json"
        done = freeze(train, "--data", data, "-o", tmp_path / "m.onnx", "--seed", seed, "--batch-size", size, "--json", report)
        assert done.returncode == 0, done.stderr
        tables.append(json.loads(report.read_text())["statistics"][0])
    for table in tables[1:]:
        np.testing.assert_allclose(table["mean"]["values"], tables[0]["mean"]["values"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(table["variance"]["values"], tables[0]["variance"]["values"], rtol=0, atol=1e-6)

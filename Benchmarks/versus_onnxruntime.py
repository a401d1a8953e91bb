"""Whole models, one sequence at a time on one thread, against onnxruntime in the same run.

Rounds alternate, so that a busy or a throttled machine slows both; the ratio is of the medians, the best of each beside it.
onnxruntime runs through an I/O binding: no dictionary, no copy, the least it can cost from Python.
"""

import pathlib
import re
import statistics
import subprocess
import time

import numpy
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / ".build/release/seqnorm"
ROUNDS = 7
CASES = [("vowels-cnn", 15, 1000), ("vowels-bnlstm", 15, 500), ("peptide-bytenet", 31, 500), ("peptide-bytenet", 300, 100)]


def session(model, length):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    ready = onnxruntime.InferenceSession(
        str(ROOT / f"Examples/models/{model}/1/model.onnx"), options, providers=["CPUExecutionProvider"])
    random = numpy.random.default_rng(1)
    binding = ready.io_binding()
    for value in ready.get_inputs():
        if value.name == "mask":
            data = numpy.ones((1, 1, length), "float32")
        elif value.name == "tokens":
            data = random.integers(0, 20, (1, length))
        else:
            data = random.standard_normal((1, 12, length) if value.shape[1] == 12 else (1, length, 12)).astype("float32")
        binding.bind_cpu_input(value.name, data)
    binding.bind_output("predictions")
    return ready, binding


def theirs(ready, binding, iterations):
    start = time.perf_counter()
    for _ in range(iterations):
        ready.run_with_iobinding(binding)
    return (time.perf_counter() - start) / iterations * 1e6


def ours(model, length, iterations):
    done = subprocess.run(
        [BINARY, "bench", ROOT / f"Examples/models/{model}/1/model.onnx", "--length", str(length), "--iterations",
         str(iterations), "--rounds", "1"], capture_output=True, text=True, check=True)
    return float(re.search(r"([\d.]+) us median", done.stdout)[1])


print(f"{'model':16} {'length':>6} {'seqnorm us':>11} {'onnxruntime us':>15} {'ratio':>6} {'of bests':>9}")
for model, length, iterations in CASES:
    ready, binding = session(model, length)
    theirs(ready, binding, iterations)
    pairs = [(ours(model, length, iterations), theirs(ready, binding, iterations)) for _ in range(ROUNDS)]
    mine, other = (list(each) for each in zip(*pairs))
    print(
        f"{model:16} {length:6} {statistics.median(mine):11.1f} {statistics.median(other):15.1f} "
        f"{statistics.median(mine) / statistics.median(other):6.2f} {min(mine) / min(other):9.2f}", flush=True)
print("ratio below 1: seqnorm is faster")

"""Thousands of random models of one operator, and hundreds of small graphs, against onnxruntime."""

import collections
import pathlib
import re
import subprocess

import numpy
import onnxruntime
import pytest

from differential import graphs, operators
from differential.case import read
from seqnorm import BINARY

CASES_EACH, GRAPH_CASES = 18, 320
MANIFEST = pathlib.Path(__file__).parent / "differential/manifest.txt"
# Relative to the largest number of the answer: float16 is rounded at other places, float64 may go through float32 in
# onnxruntime's own kernels.
TOLERANCES = {"float16": 4e-3, "float32": 1e-4, "float64": 1e-5}


def reference(case):
    """onnxruntime's answers; None where it has no such operator or type."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(case.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        answers = session.run(None, case.inputs)
    except Exception:  # what it throws is not a class of its own
        return None
    # A sequence is a list.
    return [each for answer in answers for each in (answer if isinstance(answer, list) else [answer])]


def difference(got, expected):
    """What differs between two lists of arrays, in words; None if nothing."""
    for index, (a, b) in enumerate(zip(got, expected, strict=True)):
        b = numpy.asarray(b)
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"output {index} is {a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        if a.dtype.kind != "f":
            if not numpy.array_equal(a, b):
                return f"output {index} is {a.ravel()[:8]}, not {b.ravel()[:8]}"
            continue
        tolerance, finite = TOLERANCES[a.dtype.name], numpy.isfinite(b)
        if not numpy.array_equal(numpy.where(finite, 0, b), numpy.where(finite, 0, a), equal_nan=True):
            return f"output {index} has other infinities or NaNs: {a.ravel()[:8]}, not {b.ravel()[:8]}"
        x, y = a[finite].astype(numpy.float64), b[finite].astype(numpy.float64)
        scale = max(float(numpy.abs(y).max(initial=0)), 1e-2)
        if numpy.abs(x - y).max(initial=0) > tolerance * scale:
            worst = numpy.abs(x - y).argmax()
            return f"output {index} is {x[worst]:.9g}, not {y[worst]:.9g}, at {worst} of {x.size}"
    return None


def check(cases, folder):
    """Runs all: how often each operator was compared, what differs by case, and the types it refuses."""
    compared, faults, refused = collections.Counter(), {}, set()
    known = [(case, expected) for case in cases if (expected := reference(case)) is not None]
    for case, _ in known:
        case.write(folder)
    subprocess.run([str(BINARY), "evaluate", str(folder)], check=True, timeout=300, capture_output=True)
    for case, expected in known:
        operator, error = case.name.split("-")[0], folder / f"{case.name}.error"
        if error.exists():
            reason = error.read_text()
            if "is not supported in opset" in reason:
                continue
            if found := re.search(r"has the unsupported element type (\w+)$", reason):
                refused.add(f"{operator} refuses {found[1]}")
            else:
                faults[case.name] = reason
            continue
        compared[operator] += 1
        differences = (difference(read(folder / f"{case.name}.{suffix}"), expected) for suffix in ("outputs", "plain"))
        if fault := next(filter(None, differences), None):
            faults[case.name] = fault
    return compared, faults, refused


def manifest():
    """What the manifest explains, by case; and the types that operators may refuse."""
    lines = [line for line in MANIFEST.read_text().splitlines() if line and not line.startswith("#")]
    return (dict(line.split(": ", 1) for line in lines if ": " in line), {line for line in lines if ": " not in line})


def verdict(faults):
    return "\n".join(f"{name}: {reason}" for name, reason in sorted(faults.items()))


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    cases = [operators.generate(name, number) for name in operators.NAMES for number in range(CASES_EACH)]
    return check(cases, tmp_path_factory.mktemp("operators"))


def test_an_operator_gives_what_onnxruntime_gives(single):
    compared, faults, _ = single
    explained, _ = manifest()
    new = {name: reason for name, reason in faults.items() if name not in explained}
    assert not new, "\n" + verdict(new)
    print(f"{compared.total()} cases of {len(compared)} operators agree, {len(faults)} differ as explained")
    assert compared.total() >= 2000
    assert len(compared) >= 120


def test_the_manifest_explains_only_what_differs(single):
    assert manifest()[0].keys() <= single[1].keys()


def test_no_type_is_refused_that_was_taken(single):
    assert single[2] <= manifest()[1], "\n".join(sorted(single[2] - manifest()[1]))


def test_a_small_graph_gives_what_onnxruntime_gives(tmp_path):
    compared, faults, refused = check([graphs.generate(number) for number in range(GRAPH_CASES)], tmp_path)
    assert not faults and not refused, verdict(faults)
    assert compared.total() >= 300

"""Training graphs with axes, indices and sizes at both ends of int64, and loops with inputs they do not have.

Each is refused with the path of a node, by the analysis of positions and by running the graph: nothing is written, nothing
traps.
"""

import json
import re

import numpy
import pytest
from onnx import TensorProto, helper, numpy_helper

from seqnorm import run

LEAST, MOST = -2**63, 2**63 - 1
SEQUENCES = [[[1, 2, 3], [4, 5, 7]], [[1, 2, 3]], [[0, 1, 9], [3, 3, 1], [2, 2, 2]]]


def model(*before, inputs=("h0", "x"), axes=(1,), count=1):
    """A Scan over time whose body normalizes each step; `before` makes its `z` of `xt`, the step."""
    value = helper.make_tensor_value_info
    parts = list(before) or [helper.make_node("Identity", ["xt"], ["z"])]
    names = [f"n{index}" for index in range(len(parts) - 1)] + ["hostile"]
    for part, name in zip(parts, names):
        part.name = name
    parts.append(helper.make_node(
        "BatchNormalization", ["z", "ones", "ones", "ones", "ones"], ["y", "mean", "variance"], "norm", training_mode=1))
    parts.append(helper.make_node("Identity", ["h"], ["next"]))
    body = helper.make_graph(
        parts, "body", [value("h", 1, None), value("xt", 1, None)], [value("next", 1, None), value("y", 1, None)])
    scan = helper.make_node(
        "Scan", inputs, ["last", "ys"], "scan", body=body, num_scan_inputs=count, scan_input_axes=list(axes),
        scan_output_axes=[1])
    constants = {
        "ones": numpy.ones(3, numpy.float32), "h0": numpy.zeros(1, numpy.float32), "axis": numpy.array([0, 1]),
        "ends": numpy.array([MOST, LEAST]), "most": numpy.array([MOST]), "least": numpy.array([LEAST])}
    graph = helper.make_graph(
        [scan], "hostile", [value("x", TensorProto.FLOAT, ["batch", "time", 3])],
        [value("ys", TensorProto.FLOAT, ["batch", "time", 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def one(kind, *others, outputs=("z",), **attributes):
    """A model whose hostile node takes the step and these values."""
    return model(helper.make_node(kind, ["xt", *others], outputs, **attributes))


def of_shape(*between):
    """A model that gives the step another shape, computed from its own."""
    made = helper.make_node("Reshape", ["xt", "target"], ["z"])
    return model(helper.make_node("Shape", ["xt"], ["shape"]), *between, made)


GOOD = {
    "nothing of the kind": model,
    "a Shape that is cut to its rank": lambda: of_shape(
        helper.make_node("Shape", ["xt"], ["target"], start=LEAST, end=MOST)),
}
HOSTILE = {
    "more scan inputs than inputs": lambda: model(count=5),
    "no scan input": lambda: model(count=0),
    "fewer scan inputs than none": lambda: model(count=-1),
    "a Scan without its state": lambda: model(inputs=["x"]),
    "a Scan over the last axis of all": lambda: model(axes=[MOST]),
    "a Scan over the first axis of all": lambda: model(axes=[LEAST]),
    "Slice from one end to the other": lambda: one("Slice", "ends", "ends", "axis"),
    "Slice of a shape": lambda: of_shape(helper.make_node("Slice", ["shape", "most", "least"], ["target"])),
    "Reshape to both ends": lambda: one("Reshape", "ends"),
    "Conv with pads and strides": lambda: one("Conv", "ones", pads=[LEAST, LEAST], strides=[LEAST]),
    "Conv with a dilation": lambda: one("Conv", "ones", pads=[MOST, MOST], dilations=[MOST]),
    "ConstantOfShape": lambda: model(helper.make_node("ConstantOfShape", ["ends"], ["z"])),
    "Range": lambda: model(helper.make_node("Range", ["least", "most", "least"], ["z"])),
    "Expand to both ends": lambda: one("Expand", "ends"),
    "Transpose of axes there are not": lambda: one("Transpose", perm=[LEAST, 0]),
}
for end, number in (("first", LEAST), ("last", MOST)):
    value = {LEAST: "least", MOST: "most"}[number]
    HOSTILE |= {f"{kind} on the {end} axis of all": case for kind, case in {
        "Gather": lambda number=number: one("Gather", "axis", axis=number),
        "Squeeze": lambda value=value: one("Squeeze", value),
        "Unsqueeze": lambda value=value: one("Unsqueeze", value),
        "Flatten": lambda number=number: one("Flatten", axis=number),
        "Split": lambda number=number: one("Split", outputs=["z", "rest"], axis=number),
        "Concat": lambda number=number: one("Concat", "xt", axis=number),
        "ReduceSum": lambda value=value: one("ReduceSum", value),
        "ArgMax": lambda number=number: one("ArgMax", axis=number),
        "Softmax": lambda number=number: one("Softmax", axis=number),
    }.items()}
    HOSTILE |= {
        f"Gather of the {end} element of all": lambda value=value: one("Gather", value),
        f"Slice on the {end} axis of all": lambda value=value: one("Slice", "axis", "axis", value),
    }


def attempt(folder, graph, padding):
    """Freezes with the padding excluded or included; the process, and what it left behind."""
    train, data = folder / "train.onnx", folder / "data.jsonl"
    train.write_bytes(graph.SerializeToString())
    data.write_text("".join(json.dumps(each) + "\n" for each in SEQUENCES))
    done = run("freeze", train, "--data", data, "--batch-size", "3", "--padding", padding, "-o", folder / "out.onnx")
    done.left = {path.name for path in folder.iterdir()} - {train.name, data.name}
    return done


@pytest.mark.parametrize("padding", ["exclude", "include"])
@pytest.mark.parametrize("name", GOOD)
def test_a_good_graph_of_the_same_form_freezes(tmp_path, name, padding):
    done = attempt(tmp_path, GOOD[name](), padding)
    assert done.returncode == 0, done.stderr.decode()
    assert done.left == {"out.onnx"}


@pytest.mark.parametrize("padding", ["exclude", "include"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused_by_the_path_of_a_node(tmp_path, name, padding):
    done = attempt(tmp_path, HOSTILE[name](), padding)
    text = done.stderr.decode()
    print(text)
    assert done.returncode == 1, text
    (line,) = [line for line in text.splitlines() if line.startswith("error: ")]
    assert re.search(r": ([^ ]+ at )?scan(/body/(norm|hostile)[^ ]*)?( \(\w+\))?: ", line), line
    assert not done.left

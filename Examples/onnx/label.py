"""Builds a training graph with labelled batch statistics, for `seqnorm freeze`.

    python Examples/onnx/label.py train.onnx

x [B, C, L] and mask [B, 1, L] go through one masked batch normalization whose mean and variance are ordinary values with a
label on the node that makes them. Needs onnx 1.16 or newer.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 4


def node(operator, inputs, output, label=None):
    made = helper.make_node(operator, inputs, [output], name=f"make.{output}")
    if label:
        made.metadata_props.add(key="bn_statistic", value=label)
    return made


def build():
    nodes = [
        node("ReduceSum", ["mask", "axes"], "count", "norm.count"),
        node("Mul", ["x", "mask"], "real"),
        node("ReduceSum", ["real", "axes"], "sum"),
        node("Div", ["sum", "count"], "mean", "norm.mean"),
        node("Sub", ["x", "mean"], "centered"),
        node("Mul", ["centered", "mask"], "deviation"),
        node("Mul", ["deviation", "deviation"], "square"),
        node("ReduceSum", ["square", "axes"], "squares"),
        node("Div", ["squares", "count"], "variance", "norm.var"),
        node("Add", ["variance", "epsilon"], "shifted"),
        node("Sqrt", ["shifted"], "deviation_of_all"),
        node("Div", ["centered", "deviation_of_all"], "scaled"),
        node("Mul", ["scaled", "mask"], "normalized"),
    ]
    initializers = [
        numpy_helper.from_array(np.array([0, 2], np.int64), "axes"),
        numpy_helper.from_array(np.array(1e-5, np.float32), "epsilon"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "labelled",
        [value("x", TensorProto.FLOAT, ["batch", CHANNELS, "time"]), value("mask", TensorProto.FLOAT, ["batch", 1, "time"])],
        [value("normalized", TensorProto.FLOAT, ["batch", CHANNELS, "time"])], initializers)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(), sys.argv[1] if len(sys.argv) > 1 else "train.onnx")

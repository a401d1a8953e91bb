"""Writes ONNX's own node tests for the operators of this package into node-tests.safetensors.

Needs the Python packages onnx, numpy and safetensors; run it in this folder with the names of the operators, joined
by commas. A case is `NAME/model` (the file's bytes) with the tensors `NAME/input.K` and `NAME/output.K` in the order
of the graph's inputs and outputs.
"""
import re
import sys

import numpy as np
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_node_model_tests
from safetensors.numpy import save_file

PREFIXES = """abs add and batchnorm_ castlike_INT cast_ ceil clip concat constant constantofshape div dropout_ equal
erf exp expand flatten floor gather_0 gather_1 gather_2 gather_neg gelu gemm greater identity if layer_normalization
less log logsoftmax loop11 matmul max_ mean_ min_ mul neg not2d not3d not4d or pow range reciprocal reduce_l2 reduce_max
reduce_mean reduce_min reduce_sum relu reshape scan9 shape sigmoid sign size slice softmax softplus split_ sqrt
squeeze sub sum_ tanh transpose unsqueeze where xor""".split()
TYPES = {np.float32, np.float64, np.int64, np.int32, np.bool_}
LIMIT = 20_000


def tensor(value):
    if isinstance(value, TensorProto):
        value = numpy_helper.to_array(value)
    if not isinstance(value, (np.ndarray, np.generic)):
        return None
    value = np.ascontiguousarray(value).reshape(np.shape(value))
    return value if value.dtype.type in TYPES and value.size <= LIMIT else None


def operators(graph):
    for node in graph.node:
        yield node.domain + node.op_type


def main():
    tensors = {}
    known = set(sys.argv[1].split(","))
    for case in sorted(load_node_model_tests(), key=lambda case: case.name):
        name = case.name.removeprefix("test_")
        if not any(name.startswith(prefix) for prefix in PREFIXES) or re.search("expanded|_ver18|training", name):
            continue
        if case.model is None or not case.data_sets or set(operators(case.model.graph)) - known:
            continue
        inputs, outputs = case.data_sets[0]
        arrays = {f"input.{k}": tensor(v) for k, v in enumerate(inputs)}
        arrays |= {f"output.{k}": tensor(v) for k, v in enumerate(outputs)}
        if any(value is None for value in arrays.values()) or len(inputs) != len(case.model.graph.input):
            continue
        tensors[f"{name}/model"] = np.frombuffer(case.model.SerializeToString(deterministic=True), np.uint8)
        tensors |= {f"{name}/{key}": value for key, value in arrays.items()}
    save_file(tensors, "node-tests.safetensors")


main()

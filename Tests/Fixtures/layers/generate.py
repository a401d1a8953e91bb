"""Writes what each normalization inside the loop of vowels-bnlstm gives, step by step, into vowels-bnlstm.safetensors.

Needs the Python packages onnx, onnxruntime, numpy and safetensors; run it in this folder. The value after each
normalization becomes one more output of the Scan, and onnxruntime runs every sequence alone: `SEQUENCE/x` [L, 12] and
`SEQUENCE/LAYER` [L, channels]. The sequences are test lines of the data set, one of them longer than the statistics.
"""
import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from safetensors.numpy import save_file

SITES = {"lstm.bn_x": "t.mul", "lstm.bn_h": "t.mul_1", "lstm.bn_c": "t.add_6"}
LENGTHS = (7, 29, 12)
REFERENCE = "../reference"


def exposed():
    model = onnx.load(f"{REFERENCE}/models/vowels-bnlstm/inference.onnx")
    (scan,) = (node for node in model.graph.node if node.op_type == "Scan")
    (body,) = (attribute.g for attribute in scan.attribute if attribute.name == "body")
    for layer, value in SITES.items():
        body.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))
        scan.output.append(layer)
        model.graph.output.append(helper.make_tensor_value_info(layer, TensorProto.FLOAT, ["time", "batch", None]))
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def main():
    session = exposed()
    with open(f"{REFERENCE}/data/japanese-vowels/test.jsonl", encoding="utf-8") as file:
        lines = [np.array(json.loads(line)["sequence"], np.float32) for line in file]
    tensors = {}
    for index, length in enumerate(LENGTHS):
        x = next(line for line in lines if len(line) == length)
        mask = np.ones((1, 1, length), np.float32)
        values = session.run(list(SITES), {"x": x[None], "mask": mask})
        tensors[f"{index}/x"] = x
        for layer, value in zip(SITES, values, strict=True):
            tensors[f"{index}/{layer}"] = np.ascontiguousarray(value[:, 0])
    save_file(tensors, "vowels-bnlstm.safetensors")


main()

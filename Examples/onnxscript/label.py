"""Writes a training graph with labelled batch statistics as a Python function, for `seqnorm freeze`.

    python Examples/onnxscript/label.py train.onnx

x [B, C, L] and mask [B, 1, L] go through one masked batch normalization. A variable's name is its tensor's name, so the model's
metadata can say which are statistics. Needs onnxscript.
"""

import json
import sys

import onnx
from onnxscript import FLOAT, opset17 as op, script

CHANNELS = 4


@script()
def normalize(x: FLOAT["batch", CHANNELS, "time"], mask: FLOAT["batch", 1, "time"]) -> FLOAT["batch", CHANNELS, "time"]:
    axes = op.Constant(value_ints=[0, 2])
    count = op.ReduceSum(mask, axes, keepdims=1)
    mean = op.ReduceSum(x * mask, axes, keepdims=1) / count
    centered = (x - mean) * mask
    variance = op.ReduceSum(centered * centered, axes, keepdims=1) / count
    return centered / op.Sqrt(variance + 1e-5)


def build():
    model = normalize.to_model_proto()
    labels = {"mean": "norm.mean", "variance": "norm.var", "count": "norm.count"}
    entries = [{"tensor": tensor, "label": label, "graph": []} for tensor, label in labels.items()]
    model.metadata_props.add(key="bn_statistics", value=json.dumps(entries))
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(), sys.argv[1] if len(sys.argv) > 1 else "train.onnx")

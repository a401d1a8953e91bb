"""Exports a PyTorch model in training mode and labels the statistics that it computes itself, for `seqnorm freeze`.

    python Examples/pytorch/label.py train.onnx
    seqnorm freeze train.onnx --data train.jsonl -o model.onnx

`BatchNorm1d` needs no label: in training mode the exporter writes BatchNormalization with training_mode 1, which freeze
finds, and whose statistics it takes over valid positions only. A module of one's own that computes statistics with tensor
operations gets labels on the nodes that make them. Needs torch 1.13 or newer and onnx 1.16 or newer.
"""

import inspect
import sys

import onnx
import torch
from torch import nn


class MaskedNorm(nn.Module):
    """Normalizes by the mean and variance over valid positions."""

    def forward(self, x, mask):
        """x [B, C, L], mask [B, 1, L]."""
        count = mask.sum((0, 2), keepdim=True)
        mean = (x * mask).sum((0, 2), keepdim=True) / count
        variance = (((x - mean) * mask) ** 2).sum((0, 2), keepdim=True) / count
        return (x - mean) / torch.sqrt(variance + 1e-5) * mask


class Encoder(nn.Module):
    """One convolution with each kind of normalization."""

    def __init__(self):
        super().__init__()
        self.first, self.plain = nn.Conv1d(6, 8, 3, padding=1), nn.BatchNorm1d(8)
        self.second, self.masked = nn.Conv1d(8, 8, 3, padding=1), MaskedNorm()

    def forward(self, x, mask):
        """x [B, 6, L], mask [B, 1, L] to [B, 8, L]."""
        h = torch.relu(self.plain(self.first(x * mask))) * mask
        return self.masked(self.second(h), mask)


def label(model):
    """Labels the two quotients of MaskedNorm: sum / count is the mean, squares / count the variance."""
    divisions = [node for node in model.graph.node if node.op_type == "Div" and "masked" in node.name]
    for node, name in zip(divisions, ("masked.mean", "masked.var")):
        node.metadata_props.add(key="bn_statistic", value=name)
    model.ir_version = max(model.ir_version, 10)


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "train.onnx"
    torch.manual_seed(1)
    # The tracing exporter; the one based on dynamo writes batch norm in evaluation mode without saying so.
    tracing = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    axes = {name: {0: "batch", 2: "time"} for name in ("x", "mask", "encoded")}
    torch.onnx.export(
        Encoder().train(), (torch.randn(2, 6, 10), torch.ones(2, 1, 10)), target, opset_version=17, **tracing,
        training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
        input_names=["x", "mask"], output_names=["encoded"], dynamic_axes=axes)
    model = onnx.load(target)
    label(model)
    onnx.save(model, target)
    print(f"wrote {target}")


if __name__ == "__main__":
    main()

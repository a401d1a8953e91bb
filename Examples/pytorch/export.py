"""Exports a PyTorch sequence model so that seqnorm can serve it.

    python Examples/pytorch/export.py models/tagger/1/model.onnx

Three things make an export servable:
  1. `model.eval()`: batch normalization uses its running statistics.
  2. A mask input, 1 at real steps and 0 at padding, multiplied in after every operation that moves values along time. A
     model without one is served as well: seqnorm never pads it.
  3. Dynamic axes for batch and time.

Needs torch 1.13 or newer.
"""

import inspect
import json
import pathlib
import sys

import torch
from torch import nn


class Tagger(nn.Module):
    """Two convolutions with batch normalization, a masked mean over time, one linear layer."""

    def __init__(self, channels=6, hidden=32, classes=3):
        super().__init__()
        self.first = nn.Conv1d(channels, hidden, 5, padding=2)
        self.first_norm = nn.BatchNorm1d(hidden)
        self.second = nn.Conv1d(hidden, hidden, 5, padding=4, dilation=2)
        self.second_norm = nn.BatchNorm1d(hidden)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x, mask):
        """x [B, C, L], mask [B, 1, L] to logits [B, classes]."""
        h = torch.relu(self.first_norm(self.first(x * mask))) * mask
        h = h + torch.relu(self.second_norm(self.second(h))) * mask
        return self.head(h.sum(2) / mask.sum(2).clamp(min=1))


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "models/tagger/1/model.onnx")
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    model = Tagger()
    for _ in range(20):  # stands for your training: moves the running statistics
        model(torch.randn(8, 6, 40) * 2 + 1, torch.ones(8, 1, 40))

    model.eval()
    # The tracing exporter; torch releases before 2.5 have no other.
    tracing = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        model, (torch.randn(2, 6, 10), torch.ones(2, 1, 10)), str(target), opset_version=16, **tracing,
        input_names=["x", "mask"], output_names=["predictions"],
        dynamic_axes={
            "x": {0: "batch", 2: "time"}, "mask": {0: "batch", 2: "time"}, "predictions": {0: "batch"}})
    (target.parent / "model.json").write_text(json.dumps({"labels": ["low", "middle", "high"]}) + "\n")

    with torch.no_grad(), open(target.parent / "example.jsonl", "w") as lines:
        for length in (1, 7, 30):
            sequence = torch.randn(length, 6)
            logits = model(sequence.T[None], torch.ones(1, 1, length))[0]
            lines.write(json.dumps({"id": f"length-{length}", "sequence": sequence.tolist(), "logits": logits.tolist()}) + "\n")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()

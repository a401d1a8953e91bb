"""Exports small sequence models with both exporters of PyTorch, and records what onnxruntime answers.

    python Tests/exports/make.py [NAME ...]       writes Tests/Fixtures/exports; NAME: only these models

Not run by the tests. Made with torch 2.15.0 (CPU), onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.31.1, safetensors
0.8.0; `exports.json` says the versions of the last run. Deterministic: seeds are fixed, one thread.

For each model: `NAME-legacy.onnx` (TorchScript exporter) and `NAME-dynamo.onnx`, with `.safetensors` beside, which hold
`K.in.INPUT` and `K.out.OUTPUT` for each case K. Some exports fail, and some lie about the lengths they take:
`exports.json` says for each case whether onnxruntime agrees with PyTorch, differs, or fails. Only what agrees is kept.
"""

import copy
import importlib.metadata
import json
import pathlib
import re
import sys
import warnings

import numpy
import onnx
import onnxruntime
import torch
from safetensors.numpy import save_file
from torch import nn

import models
from models import CHANNELS, LETTERS

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Fixtures/exports"
TRACED = [17, 11]
CASES = [[1], [5], [17], [9, 4, 7], [17, 17], [23, 23, 6, 1], [17, 3, 12]]
EXPORTERS = ("legacy", "dynamo")

# Name: constructor, inputs, output.
MODELS = {
    "textcnn": (models.TextCNN, ["tokens", "mask3"], "predictions"),
    "bytenet": (models.ByteNet, ["tokens", "mask3"], "logits"),
    "bilstm": (lambda: models.Recurrent(nn.LSTM, True), ["x"], "logits"),
    "bigru": (lambda: models.Recurrent(nn.GRU, True), ["x"], "logits"),
    "rnn": (lambda: models.Recurrent(nn.RNN, False), ["x"], "logits"),
    "packed-lstm": (models.PackedLSTM, ["x", "lengths"], "predictions"),
    "transformer": (models.Transformer, ["tokens", "mask2"], "predictions"),
    "causal": (models.Causal, ["tokens"], "logits"),
    "relative": (models.Relative, ["tokens", "mask2"], "logits"),
    "conformer": (models.Conformer, ["x", "mask2"], "logits"),
    "scripted-loop": (models.ScriptedLoop, ["x"], "logits"),
    "unrolled-loop": (models.ScriptedLoop, ["x"], "logits"),
    "unrolled-last": (models.LastStep, ["x"], "predictions"),
    "cond": (models.Branches, ["x"], "logits"),
    "scan": (models.HigherOrderScan, ["x"], "logits"),
}
ONLY = {"scripted-loop": "legacy", "unrolled-loop": "legacy", "unrolled-last": "legacy", "cond": "dynamo", "scan": "dynamo"}


def inputs(kinds, lengths, seed):
    """Random sequences of these lengths, padded on the right."""
    random = numpy.random.default_rng(seed)
    count, longest = len(lengths), max(lengths)
    real = (numpy.arange(longest) < numpy.array(lengths)[:, None]).astype(numpy.float32)
    made = {}
    for kind in kinds:
        if kind == "tokens":
            made["tokens"] = random.integers(0, LETTERS, (count, longest)) * real.astype(numpy.int64)
        elif kind == "x":
            made["x"] = random.standard_normal((count, longest, CHANNELS)).astype(numpy.float32) * real[:, :, None]
        elif kind == "lengths":
            made["lengths"] = numpy.array(lengths, numpy.int64)
        else:
            made["mask"] = real if kind == "mask2" else real[:, None, :]
    return made


def dynamic(kinds):
    """Which axes of which input are dynamic, by name."""
    axes = {}
    for kind in kinds:
        name = "mask" if kind.startswith("mask") else kind
        time = {"lengths": None, "mask3": 2}.get(kind, 1)
        axes[name] = {0: "batch"} | ({} if time is None else {time: "time"})
    return axes


def export(model, kinds, output, exporter, target, scripted):
    made = inputs(kinds, TRACED, 0)
    values = tuple(torch.from_numpy(value) for value in made.values())
    common = {"input_names": list(made), "output_names": [output]}
    axes = dynamic(kinds)
    if exporter == "legacy":
        positional = {output: {0: "batch"} if output == "predictions" else {0: "batch", 1: "time"}}
        if scripted:
            model = torch.jit.script(model)
        torch.onnx.export(
            model, values, str(target), dynamo=False, opset_version=17, dynamic_axes=axes | positional, **common)
    else:
        batch, time = torch.export.Dim("batch"), torch.export.Dim.DYNAMIC
        shapes = tuple({axis: batch if axis == 0 else time for axis in axes[name]} for name in made)
        torch.onnx.export(
            model, values, str(target), dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, **common)


def strip(graph):
    """Takes out what tells of the machine: stack traces, doc strings."""
    graph.doc_string = ""
    del graph.metadata_props[:]
    for value in [*graph.input, *graph.output, *graph.value_info]:
        value.doc_string = ""
        del value.metadata_props[:]
    for each in graph.node:
        each.doc_string = ""
        del each.metadata_props[:]
        for attribute in each.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                strip(attribute.g)


def finish(target):
    model = onnx.load(target)
    strip(model.graph)
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        for each in function.node:
            each.doc_string = ""
            del each.metadata_props[:]
    del model.graph.value_info[:]
    model.doc_string = ""
    onnx.save(model, target)
    return model


def reason(error):
    """What an exporter says first, without colours."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return re.sub(r"\x1b\[[0-9;]*m", "", str(cause)).strip().splitlines()[0][:200]


def answers(target, model, kinds, output):
    """What onnxruntime says of each case, and the tensors of those where it agrees with PyTorch."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
    found, tensors = [], {}
    for index, lengths in enumerate(CASES):
        made = inputs(kinds, lengths, 100 + index)
        with torch.no_grad():
            expected = model(*[torch.from_numpy(value) for value in made.values()]).numpy()
        taken = {each.name for each in session.get_inputs()}
        try:
            got = session.run([output], {name: value for name, value in made.items() if name in taken})[0]
        except Exception as error:  # onnxruntime has no common class of errors
            found.append({"lengths": lengths, "onnxruntime": "fails", "reason": str(error).splitlines()[0][:160]})
            continue
        agrees = got.shape == expected.shape and float(numpy.abs(got - expected).max()) < 1e-4
        found.append({"lengths": lengths, "onnxruntime": "agrees" if agrees else "differs"})
        if agrees:
            tensors |= {f"{index}.in.{name}": value for name, value in made.items()} | {f"{index}.out.{output}": got}
    return found, tensors


def calibrated(make, kinds):
    """A model with weights and statistics that are not those of its start, in evaluation mode."""
    torch.manual_seed(1)
    model = make()
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    if any(isinstance(each, nn.BatchNorm1d) for each in model.modules()):
        with torch.no_grad():
            for step in range(20):
                model(*[torch.from_numpy(value) for value in inputs(kinds, [16] * 8, 1000 + step).values()])
    return model.eval().requires_grad_(False)


def main():
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # a fused attention that only PyTorch knows
    warnings.simplefilter("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = FOLDER / "exports.json"
    wanted = sys.argv[1:] or list(MODELS)
    entries = json.loads(record.read_text())["exports"] if sys.argv[1:] and record.exists() else []
    entries = [entry for entry in entries if entry["model"] not in wanted]
    for name in wanted:
        make, kinds, output = MODELS[name]
        model = calibrated(make, kinds)
        for exporter in EXPORTERS:
            if ONLY.get(name, exporter) != exporter:
                continue
            target = FOLDER / f"{name}-{exporter}.onnx"
            target.unlink(missing_ok=True)
            entry = {"model": name, "exporter": exporter}
            entries.append(entry)
            try:
                export(copy.deepcopy(model), kinds, output, exporter, target, name.startswith("scripted"))
            except Exception as error:  # the exporters throw of everything
                entry["export"] = f"fails: {type(error).__name__}: {reason(error)}"
                print(name, exporter, entry["export"])
                target.unlink(missing_ok=True)
                continue
            finished = finish(target)
            entry["file"] = target.name
            entry["opset"] = next(each.version for each in finished.opset_import if not each.domain)
            entry["inputs"] = [each.name for each in finished.graph.input]
            entry["cases"], tensors = answers(target, model, kinds, output)
            save_file(tensors, target.with_suffix(".safetensors"))
            print(name, exporter, [(case["lengths"], case["onnxruntime"]) for case in entry["cases"]])
    entries.sort(key=lambda entry: (list(MODELS).index(entry["model"]), entry["exporter"] != "legacy"))
    packages = ("torch", "onnx", "onnxscript", "onnxruntime", "safetensors")
    versions = {package: importlib.metadata.version(package) for package in packages}
    record.write_text(json.dumps({"versions": versions, "traced": TRACED, "exports": entries}, indent=1) + "\n")


if __name__ == "__main__":
    main()

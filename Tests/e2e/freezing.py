"""`seqnorm freeze` as the tests call it, and what it leaves behind."""

import dataclasses
import json
import pathlib

import numpy
import onnx
from onnx import helper
from safetensors.numpy import load_file, save_file

import reference
from seqnorm import run

TRAIN = {name: reference.FOLDER / f"models/{name}/train.onnx" for name in reference.DATA} | {
    "nested-scan": reference.FOLDER / "models/nested-scan/nested-scan.onnx",
    "vowels-plain-bn": reference.FOLDER / "models/vowels-plain-bn/train-legacy.onnx",
}
TRAINING_DATA = {name: path.with_name("train.jsonl") for name, path in reference.DATA.items()}
TRAINING_DATA["vowels-plain-bn"] = TRAINING_DATA["vowels-cnn"]


def batches_of(name):
    """The file that lists the ids of a reference model's batches."""
    return reference.FOLDER / f"expected/population/{name}.batches.json"


def population_of(name):
    """The population statistics of a reference model."""
    return load_file(reference.FOLDER / f"expected/population/{name}.safetensors")


@dataclasses.dataclass
class Frozen:
    """What a freeze wrote."""

    path: pathlib.Path
    report: dict
    statistics: dict
    output: str

    @property
    def model(self):
        return onnx.load(self.path)

    def table(self, entry, part):
        """A statistic of an entry of the report, its axes of time in front."""
        series = entry.get(part)
        if series is None:
            return None
        values = numpy.asarray([float(value) for value in series["values"]], numpy.float32)
        return values.reshape([*series["steps"], series["channels"]])


def freeze(train, *options, out, data=None, check=True):
    """Freezes a training graph into the folder `out`; the finished process unless it must succeed."""
    out = pathlib.Path(out)
    out.mkdir(exist_ok=True)
    files = {name: out / name for name in ("frozen.onnx", "report.json", "statistics.safetensors")}
    done = run(
        "freeze", train, *(["--data", data] if data else []), *options, "-o", files["frozen.onnx"],
        "--json", files["report.json"], "--statistics", files["statistics.safetensors"])
    if not check:
        return done
    assert done.returncode == 0, done.stderr.decode()
    return Frozen(
        files["frozen.onnx"], json.loads(files["report.json"].read_text()), load_file(files["statistics.safetensors"]),
        (done.stdout + done.stderr).decode())


def freeze_reference(name, *options, out):
    """Freezes a reference model over the batches its expected statistics are of."""
    if name == "nested-scan":
        return freeze(TRAIN[name], *options, data=write_nested_batches(out), out=out)
    return freeze(TRAIN[name], "--batches", batches_of(name), *options, data=TRAINING_DATA[name], out=out)


def nested_batches():
    """The batches of the nested scan."""
    file = population_of("nested-scan")
    count = len({name.split(".")[0] for name in file if name.startswith("batch")})
    return [{name: file[f"batch{k}.{name}"] for name in ("x", "mask")} for k in range(count)]


def write_nested_batches(folder):
    pathlib.Path(folder).mkdir(exist_ok=True)
    return write_batches(pathlib.Path(folder) / "batches.safetensors", nested_batches())


def write_batches(path, batches):
    """Batches as a safetensors file: `batch<k>.<input>`."""
    tensors = {f"batch{k}.{name}": value for k, batch in enumerate(batches) for name, value in batch.items()}
    save_file({name: numpy.ascontiguousarray(value) for name, value in tensors.items()}, path)
    return path


def nodes(graph):
    """All nodes of a graph and of its subgraphs."""
    for node in graph.node:
        yield node
        for each in node.attribute:
            if each.type == onnx.AttributeProto.GRAPH:
                yield from nodes(each.g)


def labels_left(model):
    """What still says that a statistic is of the batch; nothing in a frozen model."""
    left = [each.key for each in model.metadata_props if each.key == "bn_statistics"]
    for node in nodes(model.graph):
        left += [f"{node.name}: {each.key}" for each in node.metadata_props if each.key == "bn_statistic"]
        if node.op_type == "BatchNormalization":
            left += [node.name for each in node.attribute if each.name == "training_mode" and each.i]
    return left


def metadata(model):
    return {each.key: each.value for each in model.metadata_props}


def opset(model):
    return {each.domain: each.version for each in model.opset_import}


def small_model(body=None, metadata=(), name="small"):
    """A model with one labelled normalization over `x` [batch, 3, time] and `mask` [batch, 1, time]: the parts to spoil."""
    make = helper.make_node
    parts = [
        make("Mul", ["x", "mask"], ["masked"]),
        make("ReduceSum", ["masked", "axes"], ["sum"], keepdims=1),
        make("ReduceSum", ["mask"], ["n"], keepdims=0),
        make("Div", ["sum", "n"], ["mu"], name="make_mu"),
        make("Sub", ["x", "mu"], ["centered"]),
        make("Mul", ["centered", "mask"], ["y"]),
    ]
    parts = body(parts) if body else parts
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        parts, name,
        [value("x", 1, ["batch", 3, "time"]), value("mask", 1, ["batch", 1, "time"])], [value("y", 1, ["batch", 3, "time"])],
        [helper.make_tensor("axes", onnx.TensorProto.INT64, [2], [0, 2])])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, dict(metadata))
    return model

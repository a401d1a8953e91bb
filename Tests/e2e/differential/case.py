"""One case: a model with its inputs, and how it is written for `seqnorm evaluate`."""

import dataclasses

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

# The newest opset that the onnxruntime of requirements.txt has.
NEWEST = 23

TYPES = {
    "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16,
    "int8": TensorProto.INT8, "int16": TensorProto.INT16, "int32": TensorProto.INT32, "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8, "uint16": TensorProto.UINT16, "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64, "bool": TensorProto.BOOL, "object": TensorProto.STRING,
}


@dataclasses.dataclass
class Case:
    """A model and the inputs of one run; constants stand in the model."""

    name: str
    model: onnx.ModelProto
    inputs: dict

    def write(self, folder):
        """The files that `seqnorm evaluate` reads."""
        (folder / f"{self.name}.onnx").write_bytes(self.model.SerializeToString())
        tensors = [numpy_helper.from_array(value, name) for name, value in self.inputs.items()]
        graph = helper.make_graph([], "inputs", [], [], tensors)
        (folder / f"{self.name}.inputs").write_bytes(helper.make_model(graph).SerializeToString())


def read(file):
    """The tensors that `seqnorm evaluate` wrote, in order; those of a sequence one after the other."""
    return [numpy_helper.to_array(each) for each in onnx.load_model(file).graph.initializer]


def model_of(nodes, inputs, constants, outputs, opset):
    """A model of typed inputs with open shapes, as far as its file tells."""
    graph = helper.make_graph(
        nodes, "case",
        [helper.make_tensor_value_info(name, TYPES[value.dtype.name], [f"{name}_{i}" for i in range(value.ndim)])
         for name, value in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    domains = sorted({node.domain for node in nodes} - {""})
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)

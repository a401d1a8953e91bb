"""The ONNX operators of the training graphs in plain numpy: each as its specification says, none fast.

Every operator is called with its node, whose attributes are a dictionary, and its inputs, None where one is left out. It returns
its only output, or a tuple of them.
"""

import math

import numpy
import onnx
from onnx import numpy_helper

OPERATORS = {}
erf = numpy.vectorize(math.erf, otypes=[numpy.float64])


def operator(function):
    OPERATORS[function.__name__.rstrip("_")] = function
    return function


def simple(name, function):
    OPERATORS[name] = lambda node, *inputs: function(*inputs)


simple("Abs", numpy.abs)
simple("Add", numpy.add)
simple("And", numpy.logical_and)
simple("Equal", numpy.equal)
simple("Erf", lambda x: erf(x).astype(x.dtype))
simple("Exp", numpy.exp)
simple("Expand", lambda x, shape: numpy.broadcast_to(x, numpy.broadcast_shapes(x.shape, tuple(shape))))
simple("Greater", numpy.greater)
simple("GreaterOrEqual", numpy.greater_equal)
simple("Identity", numpy.copy)
simple("Less", numpy.less)
simple("LessOrEqual", numpy.less_equal)
simple("MatMul", numpy.matmul)
simple("Mul", numpy.multiply)
simple("Neg", numpy.negative)
simple("Not", numpy.logical_not)
simple("Or", numpy.logical_or)
simple("Pow", lambda x, y: numpy.power(x, y).astype(x.dtype))
simple("Range", numpy.arange)
simple("Relu", lambda x: numpy.maximum(x, 0))
simple("Sigmoid", lambda x: 1 / (1 + numpy.exp(-x)))
simple("Sqrt", numpy.sqrt)
simple("Sub", numpy.subtract)
simple("Tanh", numpy.tanh)
simple("Where", numpy.where)


@operator
def Div(node, a, b):
    if numpy.issubdtype(a.dtype, numpy.integer):
        return numpy.trunc(a / b).astype(a.dtype)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        return a / b


@operator
def Max(node, first, *others):
    for other in others:
        first = numpy.maximum(first, other)
    return first


@operator
def Min(node, first, *others):
    for other in others:
        first = numpy.minimum(first, other)
    return first


@operator
def Clip(node, x, low=None, high=None):
    low, high = node.attributes.get("min", low), node.attributes.get("max", high)
    x = x if low is None else numpy.maximum(x, low)
    return x if high is None else numpy.minimum(x, high)


@operator
def Cast(node, x):
    return x.astype(node.floats(onnx.helper.tensor_dtype_to_np_dtype(node.attributes["to"])))


@operator
def Constant(node):
    (name, value), = node.attributes.items()
    if name == "value":
        value = numpy_helper.to_array(value)
    elif name in ("value_float", "value_floats"):
        value = numpy.asarray(value, numpy.float32)
    else:
        value = numpy.asarray(value, numpy.int64)
    return value.astype(node.floats(value.dtype))


@operator
def ConstantOfShape(node, shape):
    value = node.attributes.get("value")
    value = numpy.zeros(1, numpy.float32) if value is None else numpy_helper.to_array(value)
    return numpy.full(shape, value[0], node.floats(value.dtype))


@operator
def Shape(node, x):
    return numpy.asarray(x.shape, numpy.int64)[node.attributes.get("start", 0):node.attributes.get("end")]


@operator
def Gather(node, x, indices):
    axis = node.attributes.get("axis", 0)
    extent = x.shape[axis]
    assert numpy.all((indices >= -extent) & (indices < extent)), "index out of range"
    return numpy.take(x, indices, axis)


@operator
def Concat(node, *inputs):
    return numpy.concatenate(inputs, node.attributes["axis"])


@operator
def Split(node, x, sizes=None):
    axis = node.attributes.get("axis", 0)
    if sizes is None:
        share = -(-x.shape[axis] // node.outputs)
        return tuple(numpy.split(x, range(share, x.shape[axis], share), axis))
    return tuple(numpy.split(x, numpy.cumsum(sizes)[:-1], axis))


@operator
def Slice(node, x, starts, ends, axes=None, steps=None):
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    places = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        assert step > 0
        places[axis] = slice(int(start), int(end), int(step))
    return x[tuple(places)]


@operator
def Reshape(node, x, shape):
    return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape)])


@operator
def Transpose(node, x):
    return numpy.transpose(x, node.attributes.get("perm"))


@operator
def Squeeze(node, x, axes=None):
    axes = node.attributes.get("axes", axes)
    return numpy.squeeze(x, None if axes is None else tuple(int(axis) for axis in axes))


@operator
def Unsqueeze(node, x, axes=None):
    return numpy.expand_dims(x, tuple(int(axis) for axis in node.attributes.get("axes", axes)))


def reduction(name, function):
    def reduce(node, x, axes=None):
        axes = node.attributes.get("axes", axes)
        if axes is None or len(axes) == 0:
            if node.attributes.get("noop_with_empty_axes", 0):
                return x
            axes = range(x.ndim)
        return function(x, axis=tuple(int(axis) for axis in axes), keepdims=bool(node.attributes.get("keepdims", 1)))

    OPERATORS[name] = reduce


reduction("ReduceMax", numpy.max)
reduction("ReduceMean", numpy.mean)
reduction("ReduceMin", numpy.min)
reduction("ReduceSum", numpy.sum)


@operator
def Gemm(node, a, b, c=None):
    a = a.T if node.attributes.get("transA", 0) else a
    b = b.T if node.attributes.get("transB", 0) else b
    product = a @ b * a.dtype.type(node.attributes.get("alpha", 1.0))
    return product if c is None else product + c * a.dtype.type(node.attributes.get("beta", 1.0))


@operator
def Conv(node, x, weight, bias=None):
    """One axis of time, one group."""
    assert x.ndim == 3 and node.attributes.get("group", 1) == 1
    (dilation,) = node.attributes.get("dilations", [1])
    (stride,) = node.attributes.get("strides", [1])
    x = numpy.pad(x, [(0, 0), (0, 0), tuple(node.attributes.get("pads", [0, 0]))])
    taps = weight.shape[2]
    steps = (x.shape[2] - dilation * (taps - 1) - 1) // stride + 1
    y = numpy.zeros((x.shape[0], weight.shape[0], steps), x.dtype)
    for step in range(steps):
        for tap in range(taps):
            y[:, :, step] += x[:, :, step * stride + tap * dilation] @ weight[:, :, tap].T
    return y if bias is None else y + bias[:, None]


@operator
def BatchNormalization(node, x, scale, bias, mean, variance):
    """In training mode over all positions; `node.watched` may see and replace the batch's mean and variance."""
    attributes = node.attributes
    shape = (1, -1) + (1,) * (x.ndim - 2)
    running = mean, variance
    if attributes.get("training_mode", 0):
        axes = (0, *range(2, x.ndim))
        mean = node.watched("#mean", x.mean(axes))
        variance = node.watched("#variance", x.var(axes))
    deviation = numpy.sqrt(variance + x.dtype.type(attributes.get("epsilon", 1e-5)))
    y = (x - mean.reshape(shape)) / deviation.reshape(shape) * scale.reshape(shape) + bias.reshape(shape)
    if node.outputs == 1:
        return y
    keep = x.dtype.type(attributes.get("momentum", 0.9))
    return y, running[0] * keep + mean * (1 - keep), running[1] * keep + variance * (1 - keep)

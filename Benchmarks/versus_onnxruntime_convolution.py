"""Four dilated convolutions (k=5, dilations 1, 2, 4, 8, bias, ReLU, mask, residual) against onnxruntime, one thread.

Build first: swift build -c release --package-path Benchmarks. Both sides count the processor time of their
one thread, so that a busy machine counts little; rounds alternate in one run; the ratio is of the medians.
"""

import pathlib
import statistics
import subprocess
import time

import numpy
import onnx
import onnxruntime

BINARY = pathlib.Path(__file__).resolve().parent / ".build/release/KernelBenchmarks"
ROUNDS = 7


def network(channels):
    """The same work as a graph; the affine is already folded into the weights, as onnxruntime would do."""
    random = numpy.random.default_rng(1)
    nodes, weights, value = [], [], "x"
    for index, dilation in enumerate((1, 2, 4, 8)):
        weights.append(onnx.numpy_helper.from_array(
            (random.standard_normal((channels, channels, 5)) / 30).astype("float32"), f"w{index}"))
        weights.append(onnx.numpy_helper.from_array(random.standard_normal(channels).astype("float32"), f"b{index}"))
        nodes += [
            onnx.helper.make_node("Conv", [value, f"w{index}", f"b{index}"], [f"c{index}"], dilations=[dilation],
                                  kernel_shape=[5], pads=[2 * dilation, 2 * dilation]),
            onnx.helper.make_node("Relu", [f"c{index}"], [f"r{index}"]),
            onnx.helper.make_node("Mul", [f"r{index}", "mask"], [f"m{index}"]),
            onnx.helper.make_node("Add", [value, f"m{index}"], [f"h{index}"]),
        ]
        value = f"h{index}"
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes, "chain",
        [onnx.helper.make_tensor_value_info("x", kind, [1, channels, "time"]),
         onnx.helper.make_tensor_value_info("mask", kind, [1, 1, "time"])],
        [onnx.helper.make_tensor_value_info(value, kind, [1, channels, "time"])], weights)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10)


def session(channels, length):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    ready = onnxruntime.InferenceSession(
        network(channels).SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding = ready.io_binding()
    binding.bind_cpu_input("x", numpy.random.default_rng(2).standard_normal((1, channels, length)).astype("float32"))
    binding.bind_cpu_input("mask", numpy.ones((1, 1, length), "float32"))
    binding.bind_output(ready.get_outputs()[0].name)
    return ready, binding


def theirs(ready, binding, seconds=0.2):
    count, start = 0, time.thread_time()
    while time.thread_time() - start < seconds:
        ready.run_with_iobinding(binding)
        count += 1
    return (time.thread_time() - start) / count * 1e6


def ours(channels, length):
    return float(subprocess.run([BINARY, "chain", str(channels), str(length)], capture_output=True, text=True,
                                check=True).stdout)


print(f"{'channels':>8} {'positions':>9} {'seqnorm us':>11} {'onnxruntime us':>15} {'ratio':>6}")
for channels, length in ((64, 15), (64, 31), (64, 300), (128, 30), (128, 300), (128, 1200)):
    ready, binding = session(channels, length)
    theirs(ready, binding)
    pairs = [(ours(channels, length), theirs(ready, binding)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(each) for each in zip(*pairs))
    print(f"{channels:8} {length:9} {mine:11.1f} {other:15.1f} {mine / other:6.2f}", flush=True)
print("ratio below 1: seqnorm is faster")

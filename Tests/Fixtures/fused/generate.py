"""Writes one-node models of onnxruntime's fused operators, and models with functions, into cases.safetensors.

Needs the Python packages onnx, onnxruntime, numpy and safetensors; run it in this folder. A case is `NAME/model` (the
file's bytes) with the tensors `NAME/input.K` and `NAME/output.K` in the order of the graph's inputs and outputs; the
outputs are onnxruntime's.
"""
import numpy as np
import onnxruntime
from onnx import FunctionProto, TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

MICROSOFT = "com.microsoft"
random = np.random.default_rng(4)
tensors = {}


def floats(*shape):
    return random.standard_normal(shape).astype(np.float32)


def ints(low, high, *shape):
    return random.integers(low, high, shape).astype(np.int32)


def record(name, nodes, inputs, outputs, constants=(), opset=17, functions=(), imports=()):
    """inputs: name -> array; outputs: name -> rank; constants: names of inputs that become initializers."""
    given = {key: value for key, value in inputs.items() if key not in constants}
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
         for key, value in given.items()],
        [helper.make_tensor_value_info(key, kind, [None] * rank) for key, (kind, rank) in outputs.items()],
        [numpy_helper.from_array(inputs[key], key) for key in constants],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
        + [helper.make_opsetid(*entry) for entry in imports],
        functions=list(functions),
        ir_version=10,
    )
    data = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    tensors[f"{name}/model"] = np.frombuffer(data, np.uint8)
    for index, value in enumerate(given.values()):
        tensors[f"{name}/input.{index}"] = np.ascontiguousarray(value).reshape(np.shape(value))
    for index, value in enumerate(session.run(None, given)):
        tensors[f"{name}/output.{index}"] = np.ascontiguousarray(value).reshape(np.shape(value))


def one(name, operator, inputs, ranks, constants=(), domain=MICROSOFT, names=None, **attributes):
    """A model of one node; `names` are the node's inputs if some of them are absent."""
    outputs = {}
    for index, rank in enumerate(ranks):
        if rank is None:
            continue
        outputs[f"y{index}"] = rank if isinstance(rank, tuple) else (TensorProto.FLOAT, rank)
    written = ["" if rank is None else f"y{index}" for index, rank in enumerate(ranks)]
    node = helper.make_node(
        operator, names or list(inputs), written, name="fused", domain=domain, **attributes
    )
    record(name, [node], inputs, outputs, constants)


def products():
    a, b = floats(2, 3, 4, 5), floats(2, 3, 5, 6)
    one("matmul_plain", "FusedMatMul", {"a": a, "b": b}, [4])
    one("matmul_scaled", "FusedMatMul", {"a": a, "b": b}, [4], alpha=0.25)
    one("matmul_left", "FusedMatMul", {"a": floats(2, 5, 4), "b": floats(2, 5, 6)}, [3], transA=1)
    one("matmul_right", "FusedMatMul", {"a": floats(3, 4, 5), "b": floats(6, 5)}, [3], ["b"], transB=1)
    both = {"a": floats(5, 4), "b": floats(6, 5)}
    one("matmul_both", "FusedMatMul", both, [2], transA=1, transB=1, alpha=-2.0)
    one("matmul_batch_left", "FusedMatMul", {"a": floats(4, 3, 5), "b": floats(3, 5, 6)}, [3], transBatchA=1)
    one("matmul_batch_right", "FusedMatMul", {"a": floats(3, 4, 5), "b": floats(5, 3, 6)}, [3], transBatchB=1)
    one(
        "matmul_batch_both", "FusedMatMul", {"a": floats(5, 3, 4), "b": floats(6, 3, 5)}, [3],
        transBatchA=1, transA=1, transBatchB=1, transB=1,
    )
    for activation, parameters in [("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.3}), ("Tanh", {})]:
        one(
            f"gemm_{activation}", "FusedGemm", {"a": floats(5, 4), "b": floats(6, 5), "c": floats(6)}, [2],
            ["b", "c"], transA=1, transB=1, alpha=0.5, beta=2.0, activation=activation, **parameters,
        )


def convolutions():
    x, w, b = floats(2, 4, 9), floats(6, 2, 3), floats(6)
    common = dict(group=2, pads=[1, 1], strides=[2], dilations=[1], kernel_shape=[3])
    for activation, parameters in [
        ("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.2]), ("Clip", [-0.5, 0.75]),
        ("HardSigmoid", [0.3, 0.4]),
    ]:
        extra = {"activation_params": parameters} if parameters else {}
        one(f"conv_{activation}", "FusedConv", {"x": x, "w": w, "b": b}, [3], ["w", "b"],
            activation=activation, **extra, **common)
    z = floats(2, 6, 5)
    inputs = {"x": x, "w": w, "b": b, "z": z}
    one("conv_sum", "FusedConv", inputs, [3], ["w", "b"], activation="Relu", **common)
    one("conv_plain", "FusedConv", {"x": x, "w": w}, [3], ["w"], auto_pad="SAME_UPPER", group=2)


def activations():
    x, b = floats(2, 5, 8) * 3, floats(8)
    one("gelu", "Gelu", {"x": x}, [3])
    one("bias_gelu", "BiasGelu", {"x": x, "b": b}, [3], ["b"])
    one("fast_gelu", "FastGelu", {"x": x}, [3])
    one("fast_gelu_bias", "FastGelu", {"x": x, "b": b}, [3], ["b"])
    one("quick_gelu", "QuickGelu", {"x": x}, [3])
    one("quick_gelu_alpha", "QuickGelu", {"x": x}, [3], alpha=1.0)


def normalizations():
    x, skip = floats(2, 5, 8) + 3, floats(2, 5, 8)
    gamma, beta, bias = floats(8), floats(8), floats(8)
    full = {"x": x, "skip": skip, "gamma": gamma, "beta": beta, "bias": bias}
    weights = ["gamma", "beta", "bias"]
    one("skip_norm", "SkipLayerNormalization", full, [3, None, None, 3], weights, epsilon=1e-5)
    one("skip_norm_row", "SkipLayerNormalization", dict(full, skip=floats(1, 5, 8)), [3], weights)
    one("skip_norm_plain", "SkipLayerNormalization", {"x": x, "skip": skip, "gamma": gamma}, [3], ["gamma"])
    one("skip_norm_bias", "SkipLayerNormalization", {"x": x, "skip": skip, "gamma": gamma, "bias": bias}, [3],
        ["gamma", "bias"], names=["x", "skip", "gamma", "", "bias"])
    simple = {"x": x, "skip": skip, "gamma": gamma, "bias": bias}
    one("skip_rms", "SkipSimplifiedLayerNormalization", simple, [3, None, None, 3], ["gamma", "bias"])
    one("rms", "SimplifiedLayerNormalization", {"x": x, "gamma": gamma}, [3], ["gamma"], domain="",
        axis=-1, epsilon=1e-6)


def embeddings():
    ids, segments = ints(0, 11, 2, 5), ints(0, 2, 2, 5)
    tables = {"words": floats(11, 8), "places": floats(7, 8), "kinds": floats(2, 8)}
    scale = {"gamma": floats(8), "beta": floats(8)}
    weights = [*tables, *scale]
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    positions = np.array([[2, 3, 4, 5, 6]], np.int32)
    index = (TensorProto.INT32, 1)
    one("embed", "EmbedLayerNormalization", {"ids": ids, "segments": segments, **tables, **scale}, [3, index], weights)
    one("embed_mask", "EmbedLayerNormalization",
        {"ids": ids, "segments": segments, **tables, **scale, "mask": mask}, [3, index, 3], weights, epsilon=1e-5)
    few = {"words": tables["words"], "places": tables["places"]}
    one("embed_plain", "EmbedLayerNormalization",
        {"ids": ids, **few, **scale, "mask": mask, "positions": positions}, [3, index], [*few, *scale],
        names=["ids", "", "words", "places", "", "gamma", "beta", "mask", "positions"])


def attentions():
    x, w, b = floats(2, 5, 8), floats(8, 24), floats(24)
    base = {"x": x, "w": w, "b": b}
    weights = ["w", "b"]
    one("attention", "Attention", base, [3], weights, num_heads=2)
    one("attention_scale", "Attention", base, [3], weights, num_heads=4, scale=0.3)
    one("attention_causal", "Attention", base, [3], weights, num_heads=2, unidirectional=1)
    masks = {
        "lengths": np.array([3, 5], np.int32),
        "bounds": np.array([4, 5, 1, 2], np.int32),
        "raw": np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], np.int32),
        "cube": ints(0, 2, 2, 5, 5) | np.eye(5, dtype=np.int32),
    }
    for name, mask in masks.items():
        one(f"attention_{name}", "Attention", {**base, "mask": mask}, [3], weights, num_heads=2)
    one("attention_bias", "Attention", {**base, "mask": masks["raw"], "bias": floats(2, 2, 5, 5)}, [3], weights,
        names=["x", "w", "b", "mask", "", "bias"], num_heads=2)
    one("attention_sizes", "Attention", {"x": x, "w": floats(8, 28), "b": floats(28)}, [3], weights,
        num_heads=2, qkv_hidden_sizes=[8, 8, 12])
    q, k, v = floats(2, 5, 8), floats(2, 7, 8), floats(2, 7, 8)
    parts = {"q": q, "k": k, "v": v}
    one("heads", "MultiHeadAttention", parts, [3], num_heads=2)
    one("heads_bias", "MultiHeadAttention", {**parts, "b": b}, [3], ["b"], num_heads=2, scale=0.5)
    one("heads_wide", "MultiHeadAttention", {"q": q, "k": k, "v": floats(2, 7, 12), "b": floats(28)}, [3], ["b"],
        num_heads=2)
    mask = np.array([[1, 1, 0, 1, 0, 1, 1], [1, 1, 1, 1, 1, 1, 0]], np.int32)
    one("heads_mask", "MultiHeadAttention", {**parts, "mask": mask}, [3], names=["q", "k", "v", "", "mask"],
        num_heads=2)
    one("heads_scores", "MultiHeadAttention", {**parts, "add": floats(1, 2, 5, 7)}, [3],
        names=["q", "k", "v", "", "", "add"], num_heads=2)


def reference(name, target, kind):
    """An attribute of a function's node that refers to one of the function."""
    attribute = helper.make_attribute(name, 0 if kind == "int" else 0.0)
    attribute.ClearField("i")
    attribute.ClearField("f")
    attribute.ref_attr_name = target
    return attribute


def functions():
    domain = "pkg.fixture"
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    leaky = helper.make_node("LeakyRelu", ["x"], ["t"])
    leaky.attribute.append(reference("alpha", "slope", "float"))
    soften = helper.make_function(
        domain, "Soften", ["x", "shift"], ["y"],
        [leaky, helper.make_node("Clip", ["t", "shift"], ["y"])], imports, attributes=["slope"],
    )
    branch = lambda operator: helper.make_graph(
        [helper.make_node(operator, ["x"], ["r"])], operator, [],
        [helper.make_tensor_value_info("r", TensorProto.FLOAT, None)],
    )
    cond = helper.make_node("If", ["flag"], ["chosen"], then_branch=branch("Exp"), else_branch=branch("Neg"))
    inner = helper.make_node("Soften", ["chosen", ""], ["y"], domain=domain)
    inner.attribute.append(reference("slope", "slope", "float"))
    outer = helper.make_function(
        domain, "Outer", ["x"], ["y", "total"],
        [
            helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
            helper.make_node("Constant", [], ["zero"], value_float=0.0),
            helper.make_node("Greater", ["total", "zero"], ["flag"]), cond, inner,
        ],
        imports, attributes=["slope"],
    )
    nodes = [
        helper.make_node("Outer", ["x"], ["a", "sum"], name="first", domain=domain, slope=0.5),
        helper.make_node("Neg", ["x"], ["minus"]),
        helper.make_node("Outer", ["minus"], ["b", ""], name="second", domain=domain, slope=0.25),
        helper.make_node("Soften", ["b", "low"], ["c"], domain=domain),
    ]
    record(
        "functions", nodes, {"x": floats(2, 3), "low": np.array(0.1, np.float32)},
        {"a": (TensorProto.FLOAT, 2), "sum": (TensorProto.FLOAT, 0), "c": (TensorProto.FLOAT, 2)},
        functions=[soften, outer], imports=[(domain, 1)],
    )


for family in [products, convolutions, activations, normalizations, embeddings, attentions, functions]:
    family()
save_file(tensors, "cases.safetensors")
print(f"{sum(name.endswith('/model') for name in tensors)} cases")

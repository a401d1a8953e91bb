#!/usr/bin/env python3
"""Writes the models of this folder that nobody should serve, byte by byte, so that no library has to agree to them.

    python3 Tests/Fixtures/hostile/make.py

The files whose names begin with `found-` were found by the fuzzer and stand as it left them. A test loads, validates, plans
and runs every file of the folder as the fuzzer does.
"""
import pathlib
import struct

FOLDER = pathlib.Path(__file__).parent
FLOAT, INT64, STRING, BOOL = 1, 7, 8, 9


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def whole(field, n):
    return varint(field << 3) + varint(n)


def part(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    head = part(1, name)
    if isinstance(value, float):
        return part(5, head + varint(2 << 3 | 5) + struct.pack("<f", value) + whole(20, 1))
    if isinstance(value, int):
        return part(5, head + whole(3, value) + whole(20, 2))
    if isinstance(value, str):
        return part(5, head + part(4, value) + whole(20, 3))
    if isinstance(value, list):
        return part(5, head + b"".join(whole(8, n) for n in value) + whole(20, 7))
    return part(5, head + part(6, value) + whole(20, 5))


def node(operator, inputs, outputs, domain="", **attributes):
    data = b"".join(part(1, name) for name in inputs) + b"".join(part(2, name) for name in outputs)
    data += part(3, operator.lower() if isinstance(operator, str) else b"n") + part(4, operator)
    data += b"".join(attribute(name, value) for name, value in attributes.items())
    return part(1, data + part(7, domain))


def tensor(name, dims, values=None, kind=INT64, raw=None):
    data = b"".join(whole(1, n) for n in dims) + whole(2, kind) + part(8, name)
    if values is not None:
        form = {INT64: "<q", FLOAT: "<f", BOOL: "<?"}[kind]
        raw = b"".join(struct.pack(form, value) for value in values)
    return part(5, data + (part(9, raw) if raw is not None else b""))


def external(name, dims, **entries):
    data = b"".join(whole(1, n) for n in dims) + whole(2, FLOAT) + part(8, name)
    data += b"".join(part(13, part(1, key) + part(2, value)) for key, value in entries.items())
    return part(5, data + whole(14, 1))


def value(field, name, dims=None, kind=FLOAT):
    shape = b""
    if dims is not None:
        axes = [part(2, d) if isinstance(d, str) else whole(1, d) for d in dims]
        shape = part(2, b"".join(part(1, axis) for axis in axes))
    return part(field, part(1, name) + part(2, part(1, whole(1, kind) + shape)))


def input(name, dims=None, kind=FLOAT):
    return value(11, name, dims, kind)


def output(name, dims=None, kind=FLOAT):
    return value(12, name, dims, kind)


def graph(*parts):
    return b"".join(parts) + part(2, "g")


def model(*parts, functions=(), opset=17, domains=()):
    data = whole(1, 8) + part(8, whole(2, opset))
    data += b"".join(part(8, part(1, domain) + whole(2, 1)) for domain in domains)
    return data + part(7, graph(*parts)) + b"".join(part(25, function) for function in functions)


def function(name, *nodes):
    body = b"".join(part(7, strip(n)) for n in nodes)
    imports = part(9, whole(2, 17)) + part(9, part(1, "own") + whole(2, 1))
    return part(1, name) + part(4, "x") + part(5, "y") + body + imports + part(10, "own")


def strip(field):
    """What a length-delimited field holds."""
    index = 1
    while field[index] & 128:
        index += 1
    return field[index + 1:]


X = input("x", ["batch", "length", 2])
Y = output("y")
BIG = 1 << 62


def one(operator, *extra, inputs=("x",), **attributes):
    return model(*extra, node(operator, inputs, ["y"], **attributes), X, Y)


def shaped(operator, *numbers, inputs=("x", "n"), **attributes):
    return one(operator, tensor("n", [len(numbers)], numbers), inputs=inputs, **attributes)


def nested_branches(depth):
    body = graph(node("Identity", ["x"], ["y"]), output("y"))
    for _ in range(depth):
        body = graph(node("If", ["c"], ["y"], then_branch=body, else_branch=graph(node("Identity", ["x"], ["y"]), output("y"))), output("y"))
    return whole(1, 8) + part(8, whole(2, 17)) + part(7, body + X + tensor("c", [], [True], BOOL))


def nested_scans(depth):
    body = graph(node("Identity", ["s"], ["y"]), input("s"), output("y"))
    for _ in range(depth):
        body = graph(node("Scan", ["s"], ["y"], body=body, num_scan_inputs=1), input("s"), output("y"))
    return whole(1, 8) + part(8, whole(2, 17)) + part(7, graph(node("Scan", ["x"], ["y"], body=body, num_scan_inputs=1), X, Y))


def loop(trips, *body, scans=()):
    inner = graph(
        *body, input("i", [], INT64), input("c", [], BOOL), input("s"), output("c", [], BOOL), output("t"),
        *[output(name) for name in scans],
    )
    return model(
        tensor("n", [], [trips]), tensor("c", [], [True], BOOL),
        node("Loop", ["n", "c", "x"], ["y"] + [f"y{k}" for k in range(len(scans))], body=inner), X, Y,
        *[output(f"y{k}") for k in range(len(scans))],
    )


def scan(*body, inputs=("x",), **attributes):
    return model(node("Scan", inputs, ["y"], body=graph(*body), **{"num_scan_inputs": 1} | attributes), X, Y)


def doubling(levels):
    """Functions that call the next one twice each."""
    functions = [
        function(f"f{k}", node(f"f{k + 1}", ["x"], ["t"], domain="own"), node(f"f{k + 1}", ["t"], ["y"], domain="own"))
        for k in range(levels)
    ]
    functions.append(function(f"f{levels}", node("Relu", ["x"], ["y"])))
    return model(node("f0", ["x"], ["y"], domain="own"), X, Y, functions=functions, domains=["own"])


def calls(*functions):
    return model(node("f", ["x"], ["y"], domain="own"), X, Y, functions=functions, domains=["own"])


def files():
    relu = one("Relu")
    yield "empty", b""
    yield "truncated", relu[:-5]
    yield "length-over-the-end", relu[:2] + part(7, b"")[:1] + varint(BIG)
    yield "endless-varint", b"\x08" + b"\xff" * 64
    yield "not-utf8", one("Relu").replace(b"relu", b"\xff\xfe\xc0\x80")
    yield "not-utf8-operator", one(b"\xc3\x28")
    yield "no-graph", whole(1, 8) + part(8, whole(2, 17))
    yield "no-opset", part(7, graph(node("Relu", ["x"], ["y"]), X, Y))
    yield "opset-of-the-far-future", model(node("Relu", ["x"], ["y"]), X, Y, opset=BIG)
    yield "deep-branches", nested_branches(200)
    yield "deep-branches-within-the-limit", nested_branches(12)
    yield "deep-scans", nested_scans(60)
    yield "cycle", model(node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"]), node("Add", ["a", "x"], ["y"]), X, Y)
    yield "reads-itself", model(node("Relu", ["y"], ["y"]), X, Y)
    yield "two-nodes-of-one-value", model(node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["y"]), X, Y)
    yield "output-of-nobody", model(node("Relu", ["x"], ["z"]), X, Y)
    yield "huge-dimensions", one("Add", tensor("c", [1 << 31] * 3, kind=FLOAT, raw=b""), inputs=("x", "c"))
    yield "dimensions-overflow", one("Add", tensor("c", [BIG, 4], kind=FLOAT, raw=b"\0" * 16), inputs=("x", "c"))
    yield "dimensions-negative", one("Add", tensor("c", [-1], kind=FLOAT, raw=b""), inputs=("x", "c"))
    yield "no-elements-of-huge-dimensions", one("Add", tensor("c", [0, BIG], kind=FLOAT, raw=b""), inputs=("x", "c"))
    yield "too-few-bytes", one("Add", tensor("c", [2], kind=FLOAT, raw=b"\0" * 7), inputs=("x", "c"))
    yield "four-bits-of-too-few-bytes", one("Cast", tensor("c", [5], kind=22, raw=b"\x21\x43"), inputs=("c",), to=FLOAT)
    yield "two-bits-of-huge-dimensions", one("Cast", tensor("c", [BIG, 3], kind=26, raw=b"\0"), inputs=("c",), to=FLOAT)
    yield "unknown-element-type", one("Add", tensor("c", [2], kind=99, raw=b"\0" * 8), inputs=("x", "c"))
    yield "input-of-negative-shape", model(node("Relu", ["x"], ["y"]), input("x", [-3, 2]), Y)
    yield "input-of-huge-shape", model(node("Relu", ["x"], ["y"]), input("x", [BIG, BIG]), Y)
    yield "rank-of-a-hundred", model(node("Relu", ["x"], ["y"]), input("x", [1] * 100), Y)
    yield "external-outside-the-folder", one("Add", external("c", [2], location="../../../etc/passwd"), inputs=("x", "c"))
    yield "external-offset-overflow", one(
        "Add", external("c", [2], location="make.py", offset=str((1 << 63) - 1), length="8"), inputs=("x", "c"))
    yield "external-length-negative", one(
        "Add", external("c", [2], location="make.py", offset="-8", length="-1"), inputs=("x", "c"))
    yield "external-too-long", one(
        "Add", external("c", [1 << 28], location="make.py", length=str(1 << 60)), inputs=("x", "c"))
    yield "external-of-itself", one("Add", external("c", [1], location="external-of-itself.onnx"), inputs=("x", "c"))
    yield "loop-of-huge-trip-count", loop(BIG, node("Relu", ["s"], ["t"]))
    yield "loop-of-negative-trip-count", loop(-BIG, node("Relu", ["s"], ["t"]))
    yield "loop-that-doubles-its-state", loop(BIG, node("Concat", ["s", "s"], ["t"], axis=0))
    yield "loop-that-gathers-outputs", loop(BIG, node("Identity", ["s"], ["t"]), node("Relu", ["s"], ["o"]), scans=["o"])
    yield "scan-of-a-body-without-outputs", scan(input("s"))
    yield "scan-of-a-body-with-more-inputs", scan(
        node("Add", ["s", "t"], ["o"]), input("s"), input("t"), output("o"))
    yield "scan-of-a-body-with-more-outputs", scan(
        node("Relu", ["s"], ["o"]), node("Tanh", ["s"], ["p"]), input("s"), output("o"), output("p"))
    yield "scan-of-more-inputs-than-it-has", scan(node("Relu", ["s"], ["o"]), input("s"), output("o"), num_scan_inputs=BIG)
    yield "scan-of-a-negative-count", scan(node("Relu", ["s"], ["o"]), input("s"), output("o"), num_scan_inputs=-1)
    yield "scan-along-no-axis", scan(node("Relu", ["s"], ["o"]), input("s"), output("o"), scan_input_axes=[-BIG])
    yield "scan-of-a-growing-state", model(
        node("Scan", ["x", "x"], ["y"], num_scan_inputs=1, body=graph(
            node("Concat", ["a", "a"], ["b"], axis=0), input("a"), input("s"), output("b"))), X, Y)
    yield "function-calls-itself", calls(function("f", node("f", ["x"], ["y"], domain="own")))
    yield "functions-call-each-other", calls(
        function("f", node("g", ["x"], ["y"], domain="own")), function("g", node("f", ["x"], ["y"], domain="own")))
    yield "functions-that-double", doubling(24)
    yield "giant-expand", shaped("Expand", 1 << 31, 1 << 31, 2)
    yield "giant-expand-negative", shaped("Expand", -BIG, 2)
    yield "giant-constant", one("ConstantOfShape", tensor("n", [3], [1 << 40, 1 << 20, 8]), inputs=("n",))
    yield "giant-tile", shaped("Tile", BIG, BIG, BIG)
    yield "giant-range", model(
        tensor("a", [], [0]), tensor("b", [], [(1 << 63) - 1]), tensor("d", [], [1]), node("Range", ["a", "b", "d"], ["y"]), X, Y)
    yield "range-of-nan", model(
        tensor("a", [], [0], FLOAT), tensor("b", [], [float("nan")], FLOAT), tensor("d", [], [0], FLOAT),
        node("Range", ["a", "b", "d"], ["y"]), X, Y)
    yield "giant-pad", shaped("Pad", 0, 0, 0, BIG, BIG, BIG)
    yield "pad-of-less-than-nothing", shaped("Pad", -BIG, 0, 0, -BIG, 0, 0)
    yield "giant-one-hot", model(
        tensor("d", [], [BIG]), tensor("v", [2], [0, 1], FLOAT), node("Cast", ["x"], ["i"], to=INT64),
        node("OneHot", ["i", "d", "v"], ["y"]), X, Y)
    yield "giant-identity-matrix", model(
        tensor("n", [2], [1 << 31, 1 << 31]), node("ConstantOfShape", ["n"], ["z"]), node("EyeLike", ["z"], ["y"]), X, Y)
    yield "reshape-to-a-negative-shape", shaped("Reshape", -2, 4)
    yield "reshape-to-two-unknowns", shaped("Reshape", -1, -1)
    yield "reshape-that-overflows", shaped("Reshape", BIG, 4, -1)
    yield "slice-of-the-smallest-step", model(
        tensor("a", [1], [BIG]), tensor("b", [1], [-(1 << 63)]), tensor("k", [1], [0]), tensor("d", [1], [-(1 << 63)]),
        node("Slice", ["x", "a", "b", "k", "d"], ["y"]), X, Y)
    yield "split-into-negative-parts", model(
        tensor("n", [2], [-1, 3]), node("Split", ["x", "n"], ["y", "z"], axis=2), X, Y)
    yield "gather-of-the-smallest-index", one("Gather", tensor("n", [1], [-(1 << 63)]), inputs=("x", "n"))
    yield "top-of-more-than-there-are", one("TopK", tensor("n", [1], [BIG]), inputs=("x", "n"))
    yield "convolution-of-huge-steps", one(
        "Conv", tensor("w", [2, 2, 1], [1] * 4, FLOAT), inputs=("x", "w"), strides=[BIG], pads=[BIG, BIG], dilations=[BIG])
    yield "convolution-of-no-groups", one("Conv", tensor("w", [2, 2, 1], [1] * 4, FLOAT), inputs=("x", "w"), group=0)
    yield "convolutions-of-many-channels", model(
        tensor("n", [3], [64, 2, 1]), node("ConstantOfShape", ["n"], ["v"]), node("Conv", ["x", "v"], ["z"]),
        tensor("m", [3], [64, 64, 5]), node("ConstantOfShape", ["m"], ["w"]),
        node("Conv", ["z", "w"], ["a"], pads=[9, 0], dilations=[2]),
        node("Conv", ["a", "w"], ["y"], pads=[1 << 12, 1 << 12], dilations=[1 << 10]), X, Y)
    yield "pool-of-a-huge-window", one("MaxPool", kernel_shape=[BIG], strides=[-1], pads=[BIG - 1, 1])
    yield "einsum-of-nonsense", one("Einsum", inputs=("x", "x"), equation="a...b...,->>ijk")
    yield "transpose-twice-by-one-axis", one("Transpose", perm=[0, 0, 1])
    yield "cast-to-no-type", one("Cast", to=-BIG)
    yield "recurrent-of-a-huge-state", one(
        "LSTM", tensor("w", [1, 4, 2], [1] * 8, FLOAT), tensor("r", [1, 4, 1], [1] * 4, FLOAT),
        inputs=("x", "w", "r"), hidden_size=BIG)
    yield "attribute-of-another-type", one("Concat", axis="zero")
    yield "producer-of-a-long-name", relu + part(2, "p" * (1 << 14))


if __name__ == "__main__":
    names = set()
    for name, data in files():
        assert name not in names, name
        names.add(name)
        (FOLDER / f"{name}.onnx").write_bytes(data)
    for stale in FOLDER.glob("*.onnx"):
        if stale.stem not in names and not stale.stem.startswith("found-"):
            stale.unlink()
    print(len(names), "files")

"""What freezing leaves as it was: everything but the nodes that only served statistics."""

import onnx

CONTROL = {
    "Scan": {"num_scan_inputs", "scan_input_axes", "scan_input_directions"}, "Loop": set(), "If": set()}


def subgraphs(node):
    return {each.name: each.g for each in node.attribute if each.type == onnx.AttributeProto.GRAPH}


def needed(graph, cuts, place=()):
    """The nodes of a graph and its subgraphs that its outputs need, as (place, index), and the names it takes from outside.

    `cuts` are the names in each place that are taken as given; if there are any, so are the running statistics of a
    BatchNormalization, which a frozen one has others for.
    """
    names, nodes = {output.name for output in graph.output}, set()
    made = {value.name for value in [*graph.input, *graph.initializer]}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        made.update(node.output)
        if not (set(node.output) - cuts.get(place, set())) & names:
            continue
        nodes.add((place, index))
        names.update(node.input[:3] if cuts and is_training(node) else node.input)
        for attribute, inner in subgraphs(node).items():
            inside, captured = needed(inner, cuts, place + ((node.name, attribute),))
            nodes |= inside
            names |= captured
    return nodes, names - made


def essence(node):
    """A node's bytes without its inputs, its subgraphs, its label, and what a loop that counts its steps has more."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    dropped = set(subgraphs(node)) | CONTROL.get(node.op_type, set())
    kept = [each for each in copy.attribute if each.name not in dropped]
    del copy.attribute[:]
    copy.attribute.extend(kept)
    metadata = [each for each in copy.metadata_props if each.key != "bn_statistic"]
    del copy.metadata_props[:]
    copy.metadata_props.extend(metadata)
    del copy.input[:]
    return copy.SerializeToString(deterministic=True)


def is_training(node):
    return node.op_type == "BatchNormalization" and any(each.name == "training_mode" and each.i for each in node.attribute)


def differences(train, frozen, cuts):
    """All ways in which a frozen model is not the training model with `cuts` taken as given; none if all is well."""
    with_statistics, _ = needed(train, {})
    without, _ = needed(train, cuts)
    gone = with_statistics - without
    found = []
    if [i.SerializeToString() for i in train.input] != [i.SerializeToString() for i in frozen.input]:
        found.append("other inputs")
    if [o.name for o in train.output] != [o.name for o in frozen.output]:
        found.append("other outputs")
    compare(train, frozen, gone, set().union(*cuts.values()), (), found)
    return found


def compare(train, frozen, gone, statistics, place, found):
    constants = {each.name: each.SerializeToString() for each in frozen.initializer}
    for each in train.initializer:
        if each.name in constants and constants[each.name] != each.SerializeToString():
            found.append(f"{place}: another {each.name}")
    nodes = {name: (index, node) for index, node in enumerate(frozen.node) for name in node.output}
    last = -1
    for index, node in enumerate(train.node):
        at, other = nodes.get(next(filter(None, node.output)), (None, None))
        where = f"{place}: {node.op_type} {node.name}"
        if (place, index) in gone:
            if other is not None and essence(other) == essence(node) and other.input == node.input:
                found.append(f"{where} is still there")
            continue
        if other is None:
            found.append(f"{where} is missing")
            continue
        if at < last:
            found.append(f"{where} is out of order")
        last = at
        if is_training(node):
            found += [] if not is_training(other) and list(other.input)[:3] == list(node.input)[:3] else [f"{where} still trains"]
        elif essence(node) != essence(other):
            found.append(f"{where} is another")
        elif node.op_type == "Scan":
            states = len(node.input) - next(each.i for each in node.attribute if each.name == "num_scan_inputs")
            if not is_scan_of(node, other, states):
                found.append(f"{where} scans something else")
        elif not reads_the_same(node, other, statistics):
            found.append(f"{where} reads something else")
        inside = subgraphs(other)
        for attribute, graph in subgraphs(node).items():
            compare(graph, inside[attribute], gone, statistics, place + ((node.name, attribute),), found)


def reads_the_same(node, other, statistics):
    """Whether a node has the same inputs; a statistic may be read under another name."""
    return len(node.input) == len(other.input) and all(
        name == now or name in statistics for name, now in zip(node.input, other.input))


def is_scan_of(node, other, states):
    """Whether a Scan has the states and scan inputs of another, in order, with the same axes and directions."""
    def streams(scan):
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in scan.attribute}
        count = attributes["num_scan_inputs"]
        axes, directions = (attributes.get(name, [0] * count) for name in ("scan_input_axes", "scan_input_directions"))
        return list(zip(list(scan.input)[-count:], axes, directions))

    rest = iter(streams(other))
    return list(node.input)[:states] == list(other.input)[:states] and all(each in rest for each in streams(node))

"""Batches of sequences, and how engines without ragged batches take them."""

import numpy


def workloads():
    """Name and lengths: one sequence, proteins (lognormal around 300), peptides."""
    random = numpy.random.default_rng(7)
    proteins = numpy.clip(random.lognormal(numpy.log(300), 0.6, 32).round(), 30, 1200).astype(int)
    peptides = random.integers(7, 51, 64)
    return {**{f"1 of {length}": [length] for length in (15, 60, 300, 1200)},
            "32 proteins": proteins.tolist(), "64 peptides": peptides.tolist()}


def sequences(model, lengths):
    """Random content of a model's kind; the same for the same lengths."""
    random = numpy.random.default_rng(sum(lengths))
    if model.features is None:
        return [random.integers(0, model.letters, length) for length in lengths]
    return [random.standard_normal((length, model.features)).astype("float32") for length in lengths]


def padded(model, parts):
    """The inputs of one batch of sequences, padded to the longest."""
    longest = max(map(len, parts))
    batch = numpy.zeros((len(parts), longest) + parts[0].shape[1:], parts[0].dtype)
    mask = numpy.zeros((len(parts), 1, longest), "float32")
    for row, part in enumerate(parts):
        batch[row, : len(part)], mask[row, 0, : len(part)] = part, 1
    if model.features is not None and model.channels_first:
        batch = numpy.ascontiguousarray(batch.transpose(0, 2, 1))
    inputs = {model.sequence: batch}
    if model.mask:
        inputs[model.mask] = mask
    if model.lengths:
        inputs[model.lengths] = numpy.array(list(map(len, parts)), "int32")
    return inputs


def ways(model, parts):
    """For each way of doing the work: the batches' inputs, and which sequences each holds."""
    order = sorted(range(len(parts)), key=lambda index: len(parts[index]))
    groups = {"one by one": [[index] for index in range(len(parts))]}
    if len(parts) > 1:
        groups["padded"] = [list(range(len(parts)))]
        for size in (4, 8, 16):
            groups[f"sorted by {size}"] = [order[start:start + size] for start in range(0, len(order), size)]
    return {name: [(padded(model, [parts[index] for index in group]), group) for group in each]
            for name, each in groups.items()}


def answers(model, parts, outputs):
    """Each sequence's own part of the outputs of batches; positions that are padding are cut off."""
    result = [None] * len(parts)
    for output, group in outputs:
        for row, index in enumerate(group):
            result[index] = output[row] if output.ndim == 2 else output[row, : len(parts[index])]
    return result

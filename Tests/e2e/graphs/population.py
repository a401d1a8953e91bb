"""What the statistics of a training graph are over batches, by the plainest arithmetic there is."""

import dataclasses
import itertools

import numpy

from .interpreter import Interpreter


@dataclasses.dataclass
class Observation:
    """What one batch says of one site. Arrays have an axis for each enclosing loop in front; absent if nothing reached it."""

    mean: numpy.ndarray | None
    variance: numpy.ndarray | None
    count: numpy.ndarray
    total: numpy.ndarray

    @property
    def extents(self):
        return self.count.shape


@dataclasses.dataclass
class Population:
    """Statistics over batches, and how many batches reached each step."""

    mean: numpy.ndarray | None
    variance: numpy.ndarray | None
    coverage: numpy.ndarray
    positions: numpy.ndarray

    @property
    def steps(self):
        return self.coverage.shape


def observe(model, sites, batch):
    """Runs the training graph on a batch: its outputs, and an observation of each site or None."""
    seen = {}

    def note(place, name, steps, value):
        seen.setdefault((place, name), {})[steps] = value
        return value

    outputs = Interpreter(model, watch=note).run(batch)
    return outputs, [observation(site, seen) for site in sites]


def observation(site, seen):
    statistics = {part: seen.get((site.place, name), {}) for part, name in site.tensors.items()}
    steps = sorted(next(iter(statistics.values())))
    if not steps:
        return None
    extents = tuple(max(axis) + 1 for axis in zip(*steps))
    assert steps == list(itertools.product(*map(range, extents))), "steps that are no rectangle"

    def gathered(values):
        rows = [numpy.asarray(values(step), numpy.float64) for step in steps]
        return numpy.stack(rows).reshape(extents + rows[0].shape)

    channels = next(iter(statistics.values()))[steps[0]].size
    total = gathered(lambda step: visible(seen, site.place, step, site.values).size // channels)
    count = gathered(lambda step: visible(seen, site.place, step, site.count).item()) if site.count else total
    return Observation(
        **{part: gathered(values.__getitem__) for part, values in statistics.items()} | {
            part: None for part in ("mean", "variance") if part not in statistics},
        count=count, total=total)


def visible(seen, place, steps, name):
    """The value of a name as a graph sees it: its own, or that of the nearest graph around it."""
    for depth in range(len(place), -1, -1):
        if (values := seen.get((place[:depth], name))) is not None:
            return values[steps[:sum(attribute == "body" for _, attribute in place[:depth])]]
    raise AssertionError(f"no value {name}")


def population(observations, estimator, tail):
    """The statistics of one site over the batches that reached it; None if none did."""
    reached = [each for each in observations if each is not None]
    if not reached:
        return None
    steps = tuple(max(axis) for axis in zip(*(each.extents for each in reached)))
    coverage, positions = numpy.zeros(steps, int), numpy.zeros(steps)
    for each in reached:
        coverage[tuple(map(slice, each.extents))] += 1
        positions[tuple(map(slice, each.extents))] += each.count
    parts = {}
    for part in ("mean", "variance"):
        if getattr(reached[0], part) is None:
            parts[part] = None
        elif estimator == "pooled":
            parts[part] = pooled(reached, part, steps)
        else:
            rows = [moment(each, part, estimator) for each in reached]
            parts[part] = edges(rows, steps) if tail == "repeat" else held(rows, coverage)
    return Population(**parts, coverage=coverage, positions=positions)


def moment(each, part, estimator):
    if part == "mean" or estimator != "gist":
        return getattr(each, part)
    padded = (each.total - each.count) / each.count
    return each.variance + padded.reshape(padded.shape + (1,) * (each.mean.ndim - padded.ndim)) * each.mean ** 2


def edges(rows, steps):
    """Every batch weighs the same, its last step repeated."""
    padded = [
        numpy.pad(row, [(0, to - of) for to, of in zip(steps, row.shape)] + [(0, 0)] * (row.ndim - len(steps)), mode="edge")
        for row in rows]
    return sum(padded) / len(padded)


def held(rows, coverage):
    """At each step the batches that reached it weigh the same; NaN where none did."""
    total = numpy.zeros(coverage.shape + rows[0].shape[coverage.ndim:])
    for row in rows:
        total[tuple(map(slice, row.shape[:coverage.ndim]))] += row
    return over(total, coverage)


def pooled(reached, part, steps):
    """At each step all positions of the batches that reached it weigh the same; NaN where there are none."""
    channels = getattr(reached[0], part).shape[len(steps):]
    sums = {power: numpy.zeros(steps + channels) for power in (1, 2)}
    count = numpy.zeros(steps)
    for each in reached:
        here = tuple(map(slice, each.extents))
        n = each.count.reshape(each.extents + (1,) * len(channels))
        mean = 0 if each.mean is None else each.mean
        count[here] += each.count
        sums[1][here] += n * mean
        sums[2][here] += 0 if each.variance is None else n * (each.variance + mean ** 2)
    mean = over(sums[1], count)
    return mean if part == "mean" else over(sums[2], count) - mean ** 2


def over(total, count):
    with numpy.errstate(divide="ignore", invalid="ignore"):
        return total / count.reshape(count.shape + (1,) * (total.ndim - count.ndim))


def frozen(model, sites, tables, batch):
    """The outputs of the training graph on a batch with every statistic replaced: tables[site][part] at min(step, T - 1)."""
    replaced = {
        (site.place, name): (site.depth, table[part])
        for site, table in zip(sites, tables) for part, name in site.tensors.items()}

    def replace(place, name, steps, value):
        if (place, name) not in replaced:
            return value
        depth, table = replaced[place, name]
        return table[tuple(min(step, extent - 1) for step, extent in zip(steps, table.shape[:depth]))].reshape(value.shape)

    return Interpreter(model, watch=replace).run(batch)

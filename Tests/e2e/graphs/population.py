"""What the statistics of a training graph are over batches, by the plainest arithmetic there is."""

import dataclasses
import itertools

import numpy

from .interpreter import Interpreter


@dataclasses.dataclass
class Said:
    """What a batch says of a site at one step; mean or variance may be absent."""

    mean: numpy.ndarray | None
    variance: numpy.ndarray | None
    count: float
    total: float


@dataclasses.dataclass
class Observation:
    """What one batch says of one site: `cells` by their steps, one number for each enclosing loop.

    `ran` has for each of the loops, outermost first, the steps at which its body ran: one number for it and each around it.
    """

    cells: dict
    ran: list

    @classmethod
    def of_rectangle(cls, mean, variance, count, total):
        """From arrays with an axis for each enclosing loop in front; mean or variance may be absent."""
        steps = list(itertools.product(*map(range, count.shape)))
        cells = {step: Said(*(None if x is None else x[step] for x in (mean, variance, count, total))) for step in steps}
        return cls(cells, [{step[:depth + 1] for step in steps} for depth in range(count.ndim)])

    def at(self, step):
        """What the batch goes on saying: beyond the end of a loop what it said at its last step; None if that is nothing."""
        place = ()
        for ran, number in zip(self.ran, step):
            length = sum(each[:-1] == place for each in ran)
            if not length:
                return None
            place += (min(number, length - 1),)
        return self.cells.get(place)


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
    places = [site.place[:depth + 1] for depth, (_, attribute) in enumerate(site.place) if attribute == "body"]
    ran = [set().union(*(steps for (place, _), steps in seen.items() if place == body)) for body in places]

    def said(step):
        values = {part: numpy.asarray(rows[step], numpy.float64) for part, rows in statistics.items()}
        channels = next(iter(values.values())).size
        total = visible(seen, site.place, step, site.values).size // channels
        count = visible(seen, site.place, step, site.count).item() if site.count else total
        return Said(values.get("mean"), values.get("variance"), count, total)

    cells = {step: said(step) for step in next(iter(statistics.values()))}
    return Observation(cells, ran) if cells else None


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
    cells = {step for each in reached for step in each.cells}
    steps = tuple(max(axis) + 1 for axis in zip(*cells))
    coverage, positions = numpy.zeros(steps, int), numpy.zeros(steps)
    for each in reached:
        for step, said in each.cells.items():
            coverage[step] += 1
            positions[step] += said.count
    parts = {}
    for part in ("mean", "variance"):
        if getattr(next(iter(reached[0].cells.values())), part) is None:
            parts[part] = None
        elif estimator == "pooled":
            parts[part] = table(steps, lambda step: pooled([each.cells.get(step) for each in reached], part))
        else:
            find = Observation.at if tail == "repeat" else lambda each, step: each.cells.get(step)
            parts[part] = table(steps, lambda step: averaged([find(each, step) for each in reached], part, estimator))
    return Population(**parts, coverage=coverage, positions=positions)


def table(steps, value):
    """A value for each step; NaN where it is absent."""
    values = {step: value(step) for step in itertools.product(*map(range, steps))}
    shape = next(each.shape for each in values.values() if each is not None)
    result = numpy.full(steps + shape, numpy.nan)
    for step, each in values.items():
        if each is not None:
            result[step] = each
    return result


def moment(said, part, estimator):
    if part == "mean" or estimator != "gist":
        return getattr(said, part)
    return said.variance + (said.total - said.count) / said.count * said.mean ** 2


def averaged(said, part, estimator):
    """Every batch that says something weighs the same."""
    rows = [moment(each, part, estimator) for each in said if each is not None]
    return sum(rows) / len(rows) if rows else None


def pooled(said, part):
    """All positions of the batches that reached a step weigh the same."""
    said = [each for each in said if each is not None and each.count]
    count = sum(each.count for each in said)
    if not count:
        return None
    means = [0 if each.mean is None else each.mean for each in said]
    mean = sum(each.count * m for each, m in zip(said, means)) / count
    if part == "mean":
        return mean
    return sum(each.count * (each.variance + m ** 2) for each, m in zip(said, means)) / count - mean ** 2


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

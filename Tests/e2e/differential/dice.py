"""Random shapes, arrays and attributes."""

import numpy

FLOATS = ("float32", "float64", "float16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
NUMBERS = FLOATS + INTEGERS
ALL = NUMBERS + ("bool",)


class Dice:
    """A seeded source of everything that a case is made of."""

    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)

    def below(self, count):
        return int(self.random.integers(count))

    def between(self, low, high):
        return int(self.random.integers(low, high + 1))

    def once_in(self, count):
        return self.below(count) == 0

    def pick(self, values):
        return values[self.below(len(values))]

    def length(self, low=0):
        """The length of an axis: mostly small, at times 0, 1 or long enough for vector code."""
        if low == 0 and self.once_in(14):
            return 0
        return self.pick([1, 2, 3, 4, 5, 7, 17] if self.once_in(3) else [max(low, 1), 2, 3, 4])

    def shape(self, low_rank=0, high_rank=4, low=0):
        return [self.length(low) for _ in range(self.between(low_rank, high_rank))]

    def partner(self, shape):
        """A shape that can be broadcast together with another."""
        keep = shape[self.below(len(shape) + 1):]
        return [1 if self.once_in(4) else length for length in keep]

    def axis(self, rank):
        """An axis, from the front or from the back."""
        return self.between(-rank, rank - 1)

    def axes(self, rank):
        chosen = self.random.permutation(rank)[: self.below(rank + 1)]
        return [int(axis) - (rank if self.once_in(2) else 0) for axis in chosen]

    def array(self, dtype, shape, low=None, high=None):
        """Numbers of a type: floats around 0, integers small, at times to the ends of their range."""
        kind = numpy.dtype(dtype)
        if dtype == "bool":
            return self.random.random(shape) < 0.5
        if kind.kind == "f":
            if low is not None:
                return self.random.uniform(low, high, shape).astype(kind)
            values = self.random.normal(0, 2, shape)
            return (numpy.round(values) if self.once_in(6) else values).astype(kind)
        bounds = numpy.iinfo(kind)
        if low is None:
            low, high = max(-9, int(bounds.min)), 9
            if self.once_in(8):
                low, high = int(bounds.min), int(bounds.max)
        return self.random.integers(low, high, shape, dtype=kind, endpoint=True)

    def edges(self, values):
        """The same with numbers that are special put in here and there."""
        if values.dtype.kind != "f" or not values.size or not self.once_in(5):
            return values
        values = values.copy()
        for special in (numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0):
            values.reshape(-1)[self.below(values.size)] = special
        return values

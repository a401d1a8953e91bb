"""Ours, onnxruntime and OpenVINO on the same models and sequences, side by side in one run.

Every engine does each workload in its best way: ours as one ragged batch, the peers one by one, padded to the longest, or
sorted by length into batches of 4, 8 or 16, whichever is fastest. The rounds of all engines alternate; figures are medians,
of processor time on one thread (`--threads` for more, then time on the wall). Before anything is timed, all answers are
compared: `apart` is the largest difference, relative to the largest answer. A way of doing the work by which a peer
differs from its own answers one by one is no way (bidirectional GRUs in padded batches of OpenVINO); more than 5e-3
between engines ends the run (bf16 apart). One sequence in sixteen is let off: the loop of vowels-bnlstm lets a rounding grow ten
thousandfold and more over some made-up sequences, in onnxruntime as in ours; all other models are below 1e-5 throughout.

With `--half`, ours and OpenVINO run in bf16 as well; the column of ours has how far its answers are from its own in float32.

`of peak`: useful operations (padding is not counted) a second, as a share of oneDNN's `sgemm` on this core in this run.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import warnings

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from peers.engines import ONNXRuntime, OpenVINO, OpenVINOHalf, Ours, OursHalf, measure, peak  # noqa: E402
from peers.models import all_models  # noqa: E402
from peers.workloads import answers, sequences, ways, workloads  # noqa: E402

warnings.filterwarnings("ignore")
options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
options.add_argument("--models", nargs="*", help="only models whose name holds one of these")
options.add_argument("--workloads", nargs="*", help="only workloads whose name holds one of these")
options.add_argument("--threads", type=int, default=1, help="intra-op threads of every engine")
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--seconds", type=float, default=0.15, help="of work for one engine and round")
options.add_argument("--half", action="store_true", help="ours and OpenVINO in bf16 as well")
options.add_argument("--ours", nargs="*", default=[], help="further options of `seqnorm bench`, without dashes")
options = options.parse_args()


# The largest difference between engines that may be, relative to the largest answer.
LIMIT = 5e-3


def chosen(name, wanted):
    return not wanted or any(each in name for each in wanted)


def differences(ours, theirs):
    """Of each sequence, relative to the largest answer, in order."""
    largest = max(float(numpy.abs(each).max()) for each in theirs)
    return sorted(float(numpy.abs(a - b).max()) / largest for a, b in zip(ours, theirs))


def agree(ours, theirs, limit):
    apart = differences(ours, theirs)
    return apart[len(apart) - 1 - len(apart) // 16] <= limit


class Peer:
    """One engine on one workload: every way of doing it, the fastest of which counts."""

    def __init__(self, engine, model, parts):
        self.engine, self.ways, self.answers, self.wrong = engine, {}, None, []
        for way, batches in ways(model, parts).items():
            ready = [(engine.prepare(inputs), group) for inputs, group in batches]
            own = answers(model, parts, [(engine.result(each), group) for each, group in ready])
            self.answers = self.answers or own
            if not agree(own, self.answers, 0.05 if "bf16" in engine.name else LIMIT):
                self.wrong.append(way)
                continue
            self.ways[way] = [each for each, _ in ready]
        timed = {way: self.time(way, options.seconds / 2) for way in self.ways}
        self.best = min(timed, key=timed.get)
        self.padded = timed.get("padded")

    def time(self, way, seconds):
        def work():
            for each in self.ways[way]:
                self.engine.run(each)
        return measure(work, seconds, options.threads)


def line(model, name, lengths, engines):
    parts = sequences(model, lengths)
    ours = Ours(model, options.threads, [f"--{each}" for each in options.ours])
    own = ours.answers(parts)
    half = OursHalf(model, options.threads, ours.arguments) if options.half else None
    peers = {}
    for engine in engines:
        peers[engine.name] = Peer(engine, model, parts)
    worst = 0
    for each, peer in peers.items():
        if "bf16" in each:
            continue
        worst = max(worst, differences(own, peer.answers)[-1])
        if not agree(own, peer.answers, LIMIT):
            raise SystemExit(f"{model.name}, {name}: answers differ by {worst}")
    rounds = [
        (ours.seconds(parts, options.seconds), half and half.seconds(parts, options.seconds),
         {each: peer.time(peer.best, options.seconds) for each, peer in peers.items()})
        for _ in range(options.rounds)]
    mine = statistics.median(each for each, _, _ in rounds)
    cells = [f"{model.name:18} {name:12} {mine * 1e6:11.1f}"]
    if half:
        narrow = statistics.median(each for _, each, _ in rounds)
        apart = differences(half.answers(parts), own)[-1]
        cells.append(f"{narrow * 1e6:12.1f} {narrow / mine:6.2f}x {apart:.0e}")
    for each, peer in peers.items():
        theirs = statistics.median(others[each] for _, _, others in rounds)
        cells.append(f"{theirs * 1e6:11.1f} {theirs / mine:6.2f}x {peer.best:12}")
    share = sum(map(model.operations, lengths)) / mine / PEAK
    print(" | ".join(cells), f"| {100 * share:4.0f} % | {worst:.0e}", flush=True)


PEAK = peak()
print(f"sgemm peak {PEAK / 1e9:.0f} GF/s; threads {options.threads}; microseconds a workload; x: how many times ours")
kinds = [ONNXRuntime, OpenVINO] + ([OpenVINOHalf] if options.half else [])
print(f"{'model':18} {'workload':12} {'seqnorm':>11} | " + ("seqnorm bf16  ratio apart | " if options.half else "") + " | ".join(f"{kind.name:>11}  ratio  best way  " for kind in kinds)
      + " | of peak | apart")
with tempfile.TemporaryDirectory() as folder:
    for model in all_models(pathlib.Path(folder)):
        if not chosen(model.name, options.models):
            continue
        engines = []
        for kind in kinds:
            try:
                engines.append(kind(model, options.threads))
            except Exception as error:  # a peer that cannot read the model has no column
                print(f"{model.name}: {kind.name} cannot run it: {str(error).strip().splitlines()[-1]}")
        for name, lengths in workloads().items():
            if chosen(name, options.workloads):
                try:
                    line(model, name, lengths, engines)
                except RuntimeError as error:
                    print(f"{model.name:18} {name:12} {error}")

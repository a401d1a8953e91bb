"""Masked batch normalization against torch's native BatchNorm1d, one thread each, rounds alternating in one run.

Build first: swift build -c release --package-path Benchmarks --product NormalizationBenchmarks. Both sides count the
processor time of their one thread, so that a busy machine counts little; a ratio is the median of those of the rounds, as
a machine's clock may change between rounds. Both get the same numbers, and their results are compared.

native: BatchNorm1d on the batch as it is, padding and all (on a full batch, the same result as ours).
valid rows, valid sequence: BatchNorm1d on the valid elements alone, gathered beforehand as [n, C] or [1, C, n]: no mask,
    nothing padded, nothing written at padding.
same result: what gives ours in PyTorch: gather the valid elements, BatchNorm1d, scatter them into zeros.
into: our evaluation into a tensor that is there already, and 0 at padding already: nothing is written there.
in-place: our evaluation in the input's own memory, of its own last result. BatchNorm1d has none in place; what it is compared
    with is the same as for evaluate.
of copy: bytes that must move (valid elements read once in evaluation, twice in training; all written, by into the valid
    ones) a second, as a share of what memcpy of the whole batch reaches (every byte read and written).
"""

import pathlib
import statistics
import subprocess
import tempfile
import time

import torch

BINARY = pathlib.Path(__file__).resolve().parent / ".build/release/NormalizationBenchmarks"
ROUNDS = 15
SECONDS = 0.05


class Ours:
    def __init__(self):
        self.process = subprocess.Popen([BINARY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise SystemExit(f"NormalizationBenchmarks ended with {self.process.wait()}")
        return answer

    def time(self, work):
        return float(self.ask(work, SECONDS))


def microseconds(work):
    work()
    count, start = 0, time.thread_time()
    while time.thread_time() - start < SECONDS:
        work()
        count += 1
    return (time.thread_time() - start) / count * 1e6


def lengths_of(batch, length, share):
    """All full, or spread evenly over 1 ... length, in an order without a pattern."""
    if share == 1:
        return [length] * batch
    return [1 + 7 * i % batch * (length - 1) // (batch - 1) for i in range(batch)]


def measure(ours, shape, share, folder):
    batch, channels, length = shape
    lengths = lengths_of(batch, length, share)
    x = torch.randn(shape) * 3 + 1
    mask = torch.arange(length)[None, :] < torch.tensor(lengths)[:, None]
    (folder / "x").write_bytes(x.numpy().tobytes())
    ours.ask("load", folder / "x", channels, length, ",".join(map(str, lengths)))
    rows = x.permute(0, 2, 1)[mask].contiguous()
    sequence = rows.T.contiguous()[None]

    def same_result(norm):
        y = torch.zeros(shape)
        y.permute(0, 2, 1)[mask] = norm(x.permute(0, 2, 1)[mask])
        return y

    for training, name in ((True, "train"), (False, "evaluate"), (False, "into"), (False, "in-place")):
        norm = torch.nn.BatchNorm1d(channels).train()
        norm(rows)
        norm.train(training)
        ours.ask("output", name, folder / "y")
        y = torch.frombuffer(bytearray((folder / "y").read_bytes()), dtype=torch.float32).reshape(shape)
        if (difference := (y - same_result(norm)).abs().max().item()) > 1e-4:
            raise SystemExit(f"results differ by {difference}")
        works = {"seqnorm": lambda: ours.time(name), "copy": lambda: ours.time("copy"),
                 "native": lambda: microseconds(lambda: norm(x))}
        if share < 1:
            works |= {"valid rows": lambda: microseconds(lambda: norm(rows)),
                      "valid sequence": lambda: microseconds(lambda: norm(sequence)),
                      "same result": lambda: microseconds(lambda: same_result(norm))}
        rounds = [{key: work() for key, work in works.items()} for _ in range(ROUNDS)]
        median = {key: statistics.median(each[key] for each in rounds) for key in works}
        valid = sum(lengths) / (batch * length)
        moved = (2 if training else 1) * valid + (valid if name == "into" else 1)
        times = {key: statistics.median(each[key] / each["seqnorm"] for each in rounds) for key in works}
        reached = moved / 2 * times["copy"]
        others = "  ".join(f"{key} {median[key]:7.1f} ({times[key]:.2f})"
                           for key in works if key not in ("seqnorm", "copy"))
        print(f"{str(shape):16} {100 * sum(lengths) / (batch * length):4.0f} % {name:9} {median['seqnorm']:7.1f} "
              f"{100 * reached:5.0f} %   {others}", flush=True)


torch.set_num_threads(1)
torch.set_grad_enabled(False)
torch.manual_seed(1)
print(f"torch {torch.__version__}; microseconds, in brackets how many times seqnorm's\n"
      f"{'(B, C, L)':16}  valid {'':9} seqnorm of copy")
with tempfile.TemporaryDirectory() as folder:
    ours = Ours()
    for shape in ((32, 64, 512), (64, 256, 128)):
        for share in (1, 0.5):
            measure(ours, shape, share, pathlib.Path(folder))

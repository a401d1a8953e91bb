"""Mixed load for a long time: `soak.py [--seconds 1800] [--share 0.8] [--shared]`.

The server has the first processor, with one thread for connections and one for models, and the clients have the others, where there
are any; `--shared` leaves all of them to both. Clients of five kinds keep connections to `seqnorm serve` on loopback:
- good: one to six sequences of one of three models, each answer held to the bytes the sequences get alone;
- big: 64 sequences, or a stream of 200 lines;
- bad: syntax errors, unknown models and fields, letters outside the alphabet, each with the status it must have;
- slow: a body sent in ten parts with pauses, its answer read in parts with pauses;
- gone: connections dropped in the head, in the body, and before the answer.

The run is cut into pieces of at most a minute. In the first tenth of each the good clients go as fast as they can, beside the
others, which is the capacity: of a machine that shares its processors with others it changes from one minute to the next. In the
rest of the piece requests begin at fixed times, at a share of that capacity, and latency counts from the time a request should have
begun, so that a stall is not hidden. All these clients are one process of Python, which sees an answer only when it comes round to
it, behind all others. So a second one, with little to do, sends 100 good requests a second over connections of its own, beside the
load: what one more client sees.

Printed are, for each tenth of the run: the capacity, requests, errors, p50 and p99 of that second process, p99 of the load's good
requests, p99 by the server's own histogram, what the load's process and the server take of a processor each, resident memory and
open files. The end fails on any error, on memory more than 5 % above that at half time, and on open files that stay.
"""

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import pathlib
import random
import re
import selectors
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import reference  # noqa: E402
import wrk  # noqa: E402
from seqnorm import Server  # noqa: E402

options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
options.add_argument("--seconds", type=float, default=1800)
options.add_argument("--share", type=float, default=0.8, help="of the capacity")
options.add_argument("--warm-up", type=float, default=5, help="seconds of the load as fast as it can before the run")
options.add_argument("--watchers", type=int, default=4, help="connections of the process that measures")
options.add_argument("--lanes", type=int, default=16, help="connections of good clients")
options.add_argument("--shared", action="store_true", help="all processors for server and clients")
options = options.parse_args()

HEAD, TAIL = b'{"predictions":[', b"]}"
BAD = [
    ("/v1/models/vowels-cnn:predict", b'{"instances": [[[1,', 400),
    ("/v1/models/nobody:predict", b'{"instances": ["A"]}', 404),
    ("/v1/models/vowels-cnn:predict", b'{"instances": [[[1, 2]]]}', 422),
    ("/v1/models/peptide-bytenet:predict", b'{"instances": ["GLF1"]}', 422),
    ("/v1/models/peptide-bytenet:predict", b'{"instances": []}', 422),
    ("/v1/models/peptide-bytenet:predict", b'{"instance": ["G"]}', 422),
    ("/nowhere", b"{}", 404),
]


def run(coroutine):
    """Like asyncio.run, with timers exact to the microsecond: epoll's are rounded up to whole milliseconds."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(coroutine)


class Connection:
    """One kept connection; made anew after a drop."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def request(self, path, body, kind="application/json", pause=0):
        """Status and body of the answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        step = len(body) // 10 + 1 if pause else len(body) or 1
        self.writer.write(head)
        for start in range(0, len(body), step):
            self.writer.write(body[start:start + step])
            await self.writer.drain()
            await asyncio.sleep(pause)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(None, 2)[1])
        if length := re.search(rb"\r\nContent-Length: (\d+)", head):
            text, left = b"", int(length[1])
            while left:
                part = await self.reader.readexactly(min(left, 1000 if pause else left))
                text, left = text + part, left - len(part)
                await asyncio.sleep(pause)
        else:
            text = b""
            while size := int(await self.reader.readline(), 16):
                text += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        if b"\r\nConnection: close" in head:
            self.drop()
        return status, text

    def drop(self):
        if self.writer is not None:
            self.writer.transport.abort()
        self.writer = None


class Soak:
    def __init__(self, server):
        self.server, self.random = server, random.Random(1)
        self.errors, self.latencies, self.counts = [], [], dict.fromkeys(("good", "big", "bad", "slow", "gone"), 0)
        self.alone = {}
        for model in reference.DATA:
            path, connection = f"/v1/models/{model}:predict", server.connect()
            for each in self.random.sample(reference.sequences(model), 80):
                body = json.dumps(each).encode()
                answer = server.post(path, b'{"instances":[' + body + b"]}", connection=connection)
                self.alone.setdefault(path, []).append((body, answer.body[len(HEAD):-len(TAIL)]))

    def mix(self, count):
        path = self.random.choice(list(self.alone))
        chosen = self.random.choices(self.alone[path], k=count)
        return (path, b'{"instances":[' + b",".join(body for body, _ in chosen) + b"]}",
                HEAD + b",".join(answer for _, answer in chosen) + TAIL)

    async def good(self, connection, count=None, pause=0):
        path, body, expected = self.mix(count or self.random.randint(1, 6))
        status, text = await connection.request(path, body, pause=pause)
        if (status, text) != (200, expected):
            self.errors.append(f"{path}: {status} {text[:200]}")

    async def big(self, connection):
        if self.random.random() < 0.5:
            return await self.good(connection, 64)
        path = self.random.choice(list(self.alone))
        chosen = self.random.choices(self.alone[path], k=200)
        lines = b"".join(b'{"sequence":' + body + b"}\n" for body, _ in chosen)
        status, text = await connection.request(path, lines, "application/x-ndjson")
        if status != 200 or text.count(b"\n") != 200 or b'"error"' in text:
            self.errors.append(f"{path} of lines: {status} {text[:200]}")

    async def bad(self, connection):
        path, body, expected = self.random.choice(BAD)
        status, text = await connection.request(path, body)
        if status != expected or b'"error"' not in text:
            self.errors.append(f"{path} {body}: {status} {text[:200]}")

    async def slow(self, connection):
        await self.good(connection, 12, pause=0.05)

    async def gone(self, connection):
        path, body, _ = self.mix(8)
        connection.drop()
        _, writer = await asyncio.open_connection("127.0.0.1", connection.port)
        whole = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        writer.write(whole[:self.random.choice([10, len(whole) // 2, len(whole)])])
        await writer.drain()
        writer.transport.abort()

    async def lane(self, kind, until, interval):
        """Requests of a kind that begin each `interval` seconds; as fast as they can if it is 0."""
        connection, work, due = Connection(self.server.port), getattr(self, kind), time.monotonic()
        due += self.random.random() * interval
        while due < until:
            await asyncio.sleep(max(0, due - time.monotonic()))
            begun = due if interval else time.monotonic()
            try:
                await work(connection)
            except (OSError, asyncio.IncompleteReadError) as fault:
                self.errors.append(f"{kind}: {fault!r}")
                connection.drop()
            if kind == "good":
                self.latencies.append(time.monotonic() - begun)
            self.counts[kind] += 1
            due = due + interval if interval else time.monotonic()
        connection.drop()

    async def run(self, seconds, rate):
        until = time.monotonic() + seconds
        interval = options.lanes / rate if rate else 0
        lanes = [self.lane("good", until, interval) for _ in range(options.lanes)]
        lanes += [self.lane(kind, until, each) for kind, each in
                  (("big", 1), ("big", 1), ("bad", 0.1), ("slow", 0.5), ("slow", 0.5), ("gone", 0.1))]
        await asyncio.gather(*lanes)

    def watch(self, seconds, answer):
        """In a process of its own: good requests at fixed times, their latencies and errors into a pipe."""
        self.errors, self.latencies = [], []
        lanes = options.watchers

        async def watchers():
            until = time.monotonic() + seconds
            await asyncio.gather(*(self.lane("good", until, lanes / 100) for _ in range(lanes)))

        run(watchers())
        answer.send((self.latencies, self.errors))

    def watched(self, seconds, rate):
        """The load, and what the process beside it sees."""
        receiver, sender = multiprocessing.Pipe(duplex=False)
        watcher = multiprocessing.get_context("fork").Process(target=self.watch, args=(seconds, sender))
        watcher.start()
        sender.close()
        run(self.run(seconds, rate))
        latencies, errors = receiver.recv()
        watcher.join()
        self.errors += errors
        return latencies

    def resident(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024

    def buckets(self):
        """Answers to predictions so far that took at most so many seconds, and how many answers there were."""
        found = {}
        line = r'seqnorm_http_request_duration_seconds_bucket{(.*),le="([^"]+)"} (\d+)'
        for labels, bound, count in re.findall(line, self.server.get("/metrics").body.decode()):
            if "predict" in labels:
                found[float(bound)] = found.get(float(bound), 0) + int(count)
        return found

    def processor_seconds(self):
        """Those of the clients, and those of the server."""
        fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return time.process_time(), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self):
        return sum(1 for _ in pathlib.Path(f"/proc/{self.server.process.pid}/fd").iterdir())


def quantile(share, counts):
    """Of a histogram's observations, in seconds; evenly spread within a bucket."""
    below, low, wanted = 0, 0, share * counts[float("inf")]
    for bound in sorted(counts):
        if counts[bound] >= wanted:
            return low + (bound - low) * (wanted - below) / (counts[bound] - below) if bound < float("inf") else low
        below, low = counts[bound], bound


class Tenth:
    """A tenth of the run: what was seen at the share of the capacity."""

    def __init__(self, soak, seconds):
        self.capacities, self.seen, self.load, self.counts = [], [], [], {}
        self.processors = [0.0, 0.0]
        pieces = math.ceil(seconds / 60)
        for _ in range(pieces):
            self.piece(soak, seconds / pieces)
        self.shares = [each / (0.9 * seconds) for each in self.processors]

    def piece(self, soak, seconds):
        before = soak.counts["good"]
        run(soak.run(seconds / 10, None))
        self.capacities.append((soak.counts["good"] - before) / (seconds / 10))
        soak.latencies.clear()
        buckets, processors = soak.buckets(), soak.processor_seconds()
        self.seen += soak.watched(seconds * 0.9, self.capacities[-1] * options.share)
        self.load += soak.latencies
        for index, (now, then) in enumerate(zip(soak.processor_seconds(), processors)):
            self.processors[index] += now - then
        for bound, count in soak.buckets().items():
            self.counts[bound] = self.counts.get(bound, 0) + count - buckets.get(bound, 0)


def start():
    """The server, and this process on the processors it does not have."""
    processors = os.sched_getaffinity(0)
    if options.shared or not wrk.take_one_processor():
        return Server()
    server = Server("--threads", "1", "--event-loop-threads", "1")
    os.sched_setaffinity(0, processors - os.sched_getaffinity(0))
    return server


def main():
    server = start()
    try:
        soak = Soak(server)
        run(soak.run(options.warm_up, None))
        files = soak.files()
        soak.counts = dict.fromkeys(soak.counts, 0)
        print(f"at {options.share:.0%} of the capacity, in good requests a second")
        print(f"{'tenth':>5} {'capacity':>8} {'good':>9} {'big':>6} {'bad':>6} {'slow':>6} {'gone':>6} {'errors':>6} {'p50 ms':>7} "
              f"{'p99 ms':>7} {'load p99':>8} {'own p99':>7} {'load':>5} {'server':>6} {'MiB':>6} {'files':>5}", flush=True)
        resident, slowest = [], []
        for number in range(1, 11):
            tenth = Tenth(soak, options.seconds / 10)
            (p50, p99), load = ((statistics.quantiles(tenth.seen, n=100)[index] for index in (49, 98)),
                                statistics.quantiles(tenth.load, n=100)[98])
            resident.append(soak.resident())
            slowest.append(p99)
            clients, mine = tenth.shares
            print(f"{number:5} {statistics.mean(tenth.capacities):8.0f} "
                  + " ".join(f"{count:{9 if kind == 'good' else 6}}" for kind, count in soak.counts.items())
                  + f" {len(soak.errors):6} {p50 * 1e3:7.2f} {p99 * 1e3:7.2f} {load * 1e3:8.2f} "
                  f"{quantile(0.99, tenth.counts) * 1e3:7.2f} {clients:5.0%} {mine:6.0%} {resident[-1]:6.1f} {soak.files():5}",
                  flush=True)
        time.sleep(1)
        for error in soak.errors[:10]:
            print("error:", error)
        print(f"p99 of the tenths: {min(slowest) * 1e3:.2f} to {max(slowest) * 1e3:.2f} ms, median "
              f"{statistics.median(slowest) * 1e3:.2f}")
        print(f"open files before and after: {files}, {soak.files()}; resident at half time and at the end: "
              f"{resident[4]:.1f}, {resident[-1]:.1f} MiB")
        return int(bool(soak.errors) or resident[-1] > 1.05 * resident[4] or soak.files() > files)
    finally:
        server.stop()


sys.exit(main())

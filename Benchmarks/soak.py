"""Mixed load for a long time: `soak.py [--seconds 1800] [--share 0.8] [--warm-up 60]`.

Clients of five kinds keep connections to `seqnorm serve` on loopback:
- good: one to six sequences of one of three models, each answer held to the bytes the sequences get alone;
- big: 64 sequences, or a stream of 200 lines;
- bad: syntax errors, unknown models and fields, letters outside the alphabet, each with the status it must have;
- slow: a body sent in ten parts with pauses, its answer read in parts with pauses;
- gone: connections dropped in the head, in the body, and before the answer.

In the warm-up the good clients go as fast as they can five times, for a tenth of it, beside the others. The slowest of the five
is the capacity: where a machine is at times slower than at others, what it cannot do in its slow minutes would only pile up.
Between the five, and in the run behind them, requests begin at fixed times, at a share of the capacity found so far, and latency
counts from the time a request should have begun, so that a stall is not hidden. Printed are the five, and for each tenth of the
run: requests, errors, p50 and p99 of good ones, p99 by the server's own histogram, resident memory, open files, and what the
clients, one process of Python, and the server take of a processor each: clients that are busy all the time wait for themselves.
The end fails on any error, on memory more than 5 % above that at half time, and on open files that stay.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import re
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import reference  # noqa: E402
from seqnorm import Server  # noqa: E402

options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
options.add_argument("--seconds", type=float, default=1800)
options.add_argument("--share", type=float, default=0.8, help="of the capacity")
options.add_argument("--warm-up", type=float, default=60, help="seconds in which the capacity is measured five times")
options.add_argument("--lanes", type=int, default=16, help="connections of good clients")
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


def quantile(share, before, after):
    """Of a histogram's observations between two readings, in seconds; evenly spread within a bucket."""
    below, low, wanted = 0, 0, share * (after[float("inf")] - before[float("inf")])
    for bound in sorted(after):
        count = after[bound] - before[bound]
        if count >= wanted:
            return low + (bound - low) * (wanted - below) / (count - below) if bound < float("inf") else low
        below, low = count, bound


def capacities(soak):
    """Good requests a second as fast as they can, measured five times in the warm-up."""
    found, span = [], options.warm_up / 10
    for _ in range(5):
        before = soak.counts["good"]
        asyncio.run(soak.run(span, None))
        found.append((soak.counts["good"] - before) / span)
        asyncio.run(soak.run(span, min(found) * options.share))
    return found


def main():
    server = Server()
    try:
        soak = Soak(server)
        files = soak.files()
        measured = capacities(soak)
        capacity = min(measured)
        soak.counts = dict.fromkeys(soak.counts, 0)
        print(f"capacity {capacity:.0f} good requests a second, the lowest of {', '.join(f'{each:.0f}' for each in measured)}; "
              f"running at {options.share:.0%} of it", flush=True)
        print(f"{'tenth':>5} {'good':>8} {'big':>6} {'bad':>6} {'slow':>6} {'gone':>6} {'errors':>6} {'p50 ms':>8} {'p99 ms':>8} "
              f"{'its own':>8} {'clients':>8} {'server':>7} {'MiB':>7} {'files':>6}")
        resident = []
        for tenth in range(1, 11):
            soak.latencies.clear()
            buckets, begun, (clients, mine) = soak.buckets(), time.monotonic(), soak.processor_seconds()
            asyncio.run(soak.run(options.seconds / 10, capacity * options.share))
            cuts = statistics.quantiles(soak.latencies, n=100)
            span = time.monotonic() - begun
            clients, mine = ((now - then) / span for now, then in zip(soak.processor_seconds(), (clients, mine)))
            own = quantile(0.99, buckets, soak.buckets())
            resident.append(soak.resident())
            print(f"{tenth:5} " + " ".join(f"{count:{8 if kind == 'good' else 6}}" for kind, count in soak.counts.items())
                  + f" {len(soak.errors):6} {cuts[49] * 1e3:8.2f} {cuts[98] * 1e3:8.2f} {own * 1e3:8.2f} {clients:8.0%} {mine:7.0%} {resident[-1]:7.1f} {soak.files():6}",
                  flush=True)
        time.sleep(1)
        for error in soak.errors[:10]:
            print("error:", error)
        print(f"open files before and after: {files}, {soak.files()}; resident at half time and at the end: "
              f"{resident[4]:.1f}, {resident[-1]:.1f} MiB")
        return int(bool(soak.errors) or resident[-1] > 1.05 * resident[4] or soak.files() > files)
    finally:
        server.stop()


sys.exit(main())

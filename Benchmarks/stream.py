#!/usr/bin/env python3
"""Pushes JSON Lines through one request and prints the server's resident memory at every quarter.

    Benchmarks/stream.py [--lines 1000000] [--model peptide-bytenet] [--binary .build/release/seqnorm]

The request is sent in chunks while the answers are read, as fast as the server takes it. Every answer is looked at: it must
come in order, with the id of its line. Ends with 1 if a line is missing or memory grew by more than --most-growth MiB after
the first quarter.
"""

import argparse
import json
import os
import pathlib
import socket
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))

PEPTIDES = ["GLFDIVKKVVGALGSL", "GIGKFLHSAKKFGKAFVGEIMNS", "KWKLFKKIEKVGQNIRDGIIKAGPAVAVVGQATQIAK", "ACDEFGHIKLMNPQRSTVWY"]


def resident(pid):
    """Resident memory in MiB."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def send(connection, count, sequences):
    lines = []
    for number in range(count):
        lines.append(b'{"id":%d,"sequence":%s}\n' % (number, sequences[number % len(sequences)]))
        if len(lines) == 1000 or number == count - 1:
            chunk = b"".join(lines)
            connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            lines = []
    connection.sendall(b"0\r\n\r\n")


def bodies(file):
    """The parts of a chunked answer."""
    while size := int(file.readline(), 16):
        yield file.read(size)
        file.readline()
    file.readline()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--model", default="peptide-bytenet")
    parser.add_argument("--binary", default=str(ROOT / ".build/release/seqnorm"))
    parser.add_argument("--most-growth", type=float, default=16)
    arguments = parser.parse_args()
    os.environ["SEQNORM_BINARY"] = arguments.binary
    from seqnorm import Server

    if arguments.model == "peptide-bytenet":
        sequences = [json.dumps(each).encode() for each in PEPTIDES]
    else:
        rows = (ROOT / "Examples/requests/vowels.jsonl").read_text().splitlines()
        sequences = [json.dumps(json.loads(row)["sequence"]).encode() for row in rows if row.strip()]
    server = Server()
    try:
        connection = server.socket()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(
            b"POST /v1/models/%s:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" % arguments.model.encode())
        sender = threading.Thread(target=send, args=(connection, arguments.lines, sequences))
        started = time.monotonic()
        sender.start()
        file = connection.makefile("rb")
        status = file.readline()
        assert b" 200 " in status, status
        while file.readline().strip():
            pass
        received, sizes, rest = 0, [], b""
        print(f"{'lines':>10} {'seconds':>8} {'lines/s':>9} {'MiB':>7}")
        for part in bodies(file):
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            for line in lines:
                assert line.startswith(b'{"id":%d,"predictions":' % received), (received, line[:200])
                received += 1
                if received * 4 // arguments.lines > len(sizes):
                    seconds = time.monotonic() - started
                    sizes.append(resident(server.process.pid))
                    print(f"{received:>10} {seconds:>8.1f} {received / seconds:>9.0f} {sizes[-1]:>7.1f}", flush=True)
        sender.join()
    finally:
        server.stop()
    growth = sizes[-1] - sizes[0]
    print(f"{received} of {arguments.lines} lines in order, {growth:+.1f} MiB since the first quarter")
    return 0 if received == arguments.lines and growth <= arguments.most_growth else 1


if __name__ == "__main__":
    sys.exit(main())

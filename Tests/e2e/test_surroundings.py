"""A machine that fails around the process: nowhere to write logs to, nobody who reads them, a clock that jumps."""

import contextlib
import email.utils
import json
import os
import re
import socket
import struct
import subprocess
import time

import pytest

import reference
from seqnorm import BINARY, MODELS, PATIENCE, Server, drain

VOWEL = reference.sequences("vowels-cnn")[0]
PREDICT = "/v1/models/vowels-cnn:predict"
TALKATIVE = ("--access-log", "true", "--log-level", "trace")


def stays_well(server):
    """Answers, right and wrong ones, then ends as it should."""
    expected = server.digits("vowels-cnn", [VOWEL])
    for number in range(200):
        assert server.digits("vowels-cnn", [VOWEL]) == expected
        assert server.post(PREDICT, b"{").status == 400
        if number % 50 == 0:
            assert server.raw(b"no HTTP\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    server.signal()
    assert server.exit_code() == 0


def test_a_stop_leaves_libraries_to_the_threads_that_still_load(tmp_path):
    """The dynamic linker writes down which libraries it ends; a thread that loads a model may be inside any."""
    for number, stops in enumerate([True, False]):
        told = tmp_path / str(number)
        process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--drain-delay", "0", MODELS] if stops else [BINARY, "inspect", "nowhere"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(told)})
        process.stdout.readline()
        if stops:
            process.terminate()
        process.communicate(timeout=PATIENCE)
        assert process.returncode == (0 if stops else 1)
        linker = (tmp_path / f"{number}.{process.pid}").read_text()
        assert "calling init" in linker and "calling fini" not in linker


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_disk_too_full_for_logs_stops_nothing(start, form):
    with open("/dev/full", "wb") as full:
        stays_well(start(*TALKATIVE, "--log-format", form, log=full))


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_that_nobody_reads_any_more_stop_nothing(start, form):
    reader, writer = os.pipe()
    with open(writer, "wb") as log:
        server = start(*TALKATIVE, "--log-format", form, log=log)
    os.close(reader)
    stays_well(server)


def test_a_disk_too_full_for_anything_that_is_said_stops_nothing():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [BINARY, "serve", "--port", str(port), "--drain-delay", "0", *TALKATIVE, MODELS], stdout=full, stderr=full)
    try:
        server = Server.__new__(Server)
        server.process, server.port, server.tls, server.headers, server.output = process, port, None, {}, []
        server.started = time.monotonic()
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                server.wait_until_ready()
                break
            assert time.monotonic() - server.started < PATIENCE and process.poll() is None
        stays_well(server)
    finally:
        process.kill()
        process.wait(PATIENCE)


# Adds the seconds in a file to what the clock on the wall says, and nothing to the clock that only goes forward.
SHIFT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile long long *shift;
__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("SHIFT"), O_RDONLY);
    shift = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, time);
    if ((clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && shift) time->tv_sec += *shift;
    return status;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    int status = clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return status;
}
time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}
"""
DAY = 86400


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shift")
    (folder / "shift.c").write_text(SHIFT)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", folder / "shift.so", folder / "shift.c", "-ldl"], check=True)
    return folder / "shift.so"


@pytest.mark.parametrize("days", [400, -400])
def test_a_clock_that_jumps_ends_no_request_and_spoils_no_figure(start, shim, tmp_path, days):
    """Times of requests, connections, queues and figures are all shorter than the jump; a 504 or 408 would show one."""
    place = tmp_path / "seconds"
    place.write_bytes(struct.pack("q", 0))
    server = start(environment={"LD_PRELOAD": str(shim), "SHIFT": str(place)})
    expected = server.digits("vowels-cnn", [VOWEL])
    body = json.dumps({"instances": [VOWEL] * 2000}).encode()
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
        PREDICT.encode(), len(body))
    resting = server.connect()
    assert server.request("GET", "/livez", connection=resting).status == 200
    in_head, in_body, answered = (server.socket() for _ in range(3))
    in_head.sendall(head[:30])
    in_body.sendall(head + body[:-10])
    answered.sendall(head + body)

    with open(place, "r+b") as file:
        file.write(struct.pack("q", days * DAY))

    told = email.utils.parsedate_to_datetime(server.get("/livez").headers["date"]).timestamp()
    assert abs(told - time.time() - days * DAY) < DAY, "the clock on the wall has not jumped"
    assert server.request("GET", "/livez", connection=resting).status == 200, "a connection at rest"
    in_head.sendall(head[30:] + body)
    in_body.sendall(body[-10:])
    for connection in (in_head, in_body, answered):
        received = drain(connection, enough=lambda got: got.endswith(b"}"))
        assert received.startswith(b"HTTP/1.1 200 "), received[:200]
    assert server.digits("vowels-cnn", [VOWEL]) == expected
    timed = server.post(PREDICT, {"instances": [VOWEL]}, headers={"X-Request-Timing": "1", "X-Request-Timeout": "60"})
    assert timed.status == 200
    for milliseconds in re.findall(r"dur=([-\d.e]+)", timed.headers["server-timing"]):
        assert 0 <= float(milliseconds) < PATIENCE * 1000
    text = server.get("/metrics").body.decode()
    for name in ("http_request_duration", "queue", "compute", "decode", "encode"):
        sums = re.findall(rf"^seqnorm_{name}_seconds_sum(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        assert sums and all(0 <= float(value) < PATIENCE for value in sums), (name, sums)
    assert 'code="408"' not in text and 'code="504"' not in text
    server.signal()
    assert server.exit_code() == 0

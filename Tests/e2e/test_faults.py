"""Clients that die, flood or stall, and a process that runs out of descriptors: nobody else notices, nothing is left.

Each is a real process against the release binary, bounded in time; afterwards as many descriptors are open as before,
and the memory has not grown.
"""

import concurrent.futures
import contextlib
import json
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import reference
from seqnorm import BINARY, MODELS, PATIENCE, Server, drain

CNN = b"/v1/models/vowels-cnn:predict"
VOWEL = reference.sequences("vowels-cnn")[0]
BODY = json.dumps({"instances": [VOWEL]}).encode()
BIG = json.dumps({"instances": [VOWEL] * 3000}).encode()
RESET = b"\x01\0\0\0\0\0\0\0"


def request(body, path=CNN, kind=b"application/json", fields=b""):
    return b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (
        path, kind, fields, len(body), body)


@contextlib.contextmanager
def nothing_left(server, growth=48 << 20):
    """Descriptors are as before and memory has not grown, once the server has noticed that all clients are gone."""
    expected = server.digits("vowels-cnn", [VOWEL])
    server.post(CNN.decode(), BIG)
    descriptors, resident = server.descriptors(), server.resident()
    yield expected
    end = time.monotonic() + PATIENCE
    while server.descriptors() > descriptors:
        assert time.monotonic() < end, f"{server.descriptors()} descriptors, {descriptors} before"
        time.sleep(0.02)
    assert server.digits("vowels-cnn", [VOWEL]) == expected
    grown = server.resident() - resident
    print(f"descriptors {descriptors}, memory grew by {grown / 1e6:.1f} MB")
    assert grown < growth


def reset(connection):
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


# A client of its own process, to be killed: sends what it is given, says so, then reads or rests.
CLIENT = """
import socket, sys, time
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
c.sendall(sys.stdin.buffer.read())
for _ in range(int(sys.argv[2])):
    c.recv(1)
print("there", flush=True)
time.sleep(600)
"""
STAGES = {
    "connected": (b"", 0),
    "in the head": (request(BODY)[:40], 0),
    "in the body": (request(BODY)[:-20], 0),
    "while it is answered": (request(BIG), 0),
    "in the answer": (request(BIG), 100),
    "in a streamed answer": (request((json.dumps(VOWEL) + "\n").encode() * 5000, kind=b"application/x-ndjson"), 1000),
    "at rest": (request(BODY), 50),
    "in a pipeline": (request(BODY) * 50, 10),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_client_killed_at_any_stage_leaves_nothing(server, stage):
    sent, read = STAGES[stage]
    with nothing_left(server):
        clients = []
        for _ in range(4):
            client = subprocess.Popen(
                [sys.executable, "-c", CLIENT, str(server.port), str(read)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            client.stdin.write(sent)
            client.stdin.close()
            clients.append(client)
        for client in clients:
            assert client.stdout.readline() == b"there\n"
            client.kill()
            client.wait(PATIENCE)


def test_thousands_of_half_open_connections_hold_nobody_up(start):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    server = start("--max-connections", "4000", "--header-timeout", "5")
    with nothing_left(server) as expected:
        held = []
        for number in range(3000):
            connection = server.socket()
            connection.sendall(request(BODY)[: number % 120])
            held.append(connection)
            if number % 500 == 0:
                assert server.digits("vowels-cnn", [VOWEL]) == expected
        assert server.digits("vowels-cnn", [VOWEL]) == expected
        for connection in held:
            connection.close()


def test_more_connections_than_allowed_are_told_so_and_room_comes_back(start):
    server = start("--max-connections", "50")
    held = [server.socket() for _ in range(49)]
    end = time.monotonic() + PATIENCE
    while True:
        last = server.socket()
        last.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        if drain(last, enough=lambda got: got.endswith(b"}")).startswith(b"HTTP/1.1 200 "):
            break
        # The one that asked whether the server is ready may still be counted.
        last.close()
        assert time.monotonic() < end
    held.append(last)
    for connection in held:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert drain(connection, enough=lambda got: got.endswith(b"}")).startswith(b"HTTP/1.1 200 ")
    received = server.raw(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 503 ") and b"more than 50 connections" in received
    for connection in held:
        connection.close()
    while True:
        if server.raw(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 "):
            break
        assert time.monotonic() < end


def test_connections_reset_in_mid_answer_leave_nothing(server):
    sent = [request(BIG), request((json.dumps(VOWEL) + "\n").encode() * 3000, kind=b"application/x-ndjson")]
    with nothing_left(server):
        for number in range(100):
            connection = server.socket()
            connection.sendall(sent[number % 2])
            if number % 4 < 2:
                connection.recv(1 + number)
            reset(connection)


def test_ten_thousand_connects_and_drops(server):
    with nothing_left(server) as expected:
        for number in range(10_000):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            if number % 3 == 0:
                connection.sendall(request(BODY)[: number % 200])
            # A reset leaves no port behind in TIME_WAIT.
            reset(connection)
            if number % 2000 == 0:
                assert server.digits("vowels-cnn", [VOWEL]) == expected


def one_drain(server):
    """Signals a server under load; every request it has taken is answered whole, the rest is refused unread."""
    lost, answered, stop = [], [], threading.Event()

    def load():
        while not stop.is_set():
            try:
                connection = server.socket()
            except OSError:
                return
            with connection:
                received = b""
                try:
                    while not stop.is_set():
                        connection.sendall(request(BODY))
                        received = b""
                        while b"\r\n\r\n" not in received or not received.endswith(b"}"):
                            part = connection.recv(1 << 16)
                            if not part:
                                break
                            received += part
                        if not received:
                            break
                        if not received.startswith(b"HTTP/1.1 200 ") or not received.endswith(b"}"):
                            lost.append(received)
                            return
                        answered.append(1)
                        if b"\r\nConnection: close\r\n" in received:
                            break
                except OSError:
                    if received:
                        lost.append(received)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answered) < 20:
        time.sleep(0.001)
    server.signal(signal.SIGTERM)
    code = server.exit_code()
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert code == 0, "".join(server.output)
    assert not lost, lost[0]
    return len(answered)


def test_a_signal_under_load_loses_no_request_that_was_taken():
    rounds, at_once = 100, 5
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        total = sum(pool.map(lambda _: one_drain(Server(paths=[MODELS / "vowels-cnn"])), range(rounds)))
    print(f"{rounds} rounds, {total} requests answered, 0 lost")


def test_a_hang_up_signal_under_load_disturbs_nobody(server):
    expected = server.digits("vowels-cnn", [VOWEL])
    kept = server.connect()
    for _ in range(50):
        server.signal(signal.SIGHUP)
        assert server.digits("vowels-cnn", [VOWEL], connection=kept) == expected
    kept.close()


def test_out_of_descriptors_is_survived_and_recovered_from(start):
    server = start("--drain-delay", "0")
    kept = server.connect()
    expected = server.digits("vowels-cnn", [VOWEL], connection=kept)
    before = server.descriptors()
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (before + 8, before + 8))
    held = []
    for _ in range(40):
        connection = server.socket()
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        held.append(connection)
    end = time.monotonic() + PATIENCE
    while server.descriptors() < before + 8:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert server.digits("vowels-cnn", [VOWEL], connection=kept) == expected, "who is in is served"
    for connection in held[:-10]:
        connection.close()
    waiting = set(held[-10:])
    while waiting:
        ready, _, _ = select.select(list(waiting), [], [], PATIENCE)
        assert ready, f"{len(waiting)} that waited in the backlog were never served"
        for connection in ready:
            assert drain(connection, enough=lambda got: got.endswith(b"}")).startswith(b"HTTP/1.1 200 ")
            waiting.remove(connection)
            connection.close()
    assert server.digits("vowels-cnn", [VOWEL]) == expected
    server.stop()
    assert server.exit_code() == 0


def test_a_port_that_is_taken_is_told_and_the_other_server_not_hurt(server):
    done = subprocess.run(
        [BINARY, "serve", "--port", str(server.port), MODELS], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr == f"error: 127.0.0.1:{server.port}: cannot listen: address already in use\n"
    assert server.get("/livez").status == 200

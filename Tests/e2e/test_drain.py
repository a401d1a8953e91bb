"""What a signal does: ready turns 503 at once, everybody is answered, exit 0."""

import http.client
import json
import signal
import time

import pytest

import reference
from seqnorm import PATIENCE, drain

VOWEL = reference.sequences("vowels-cnn")[0]


def half_sent(server):
    body = json.dumps({"instances": [VOWEL]}).encode()
    connection = server.socket()
    connection.sendall(
        b"POST /v1/models/vowels-cnn:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body[:-10]))
    return connection, body[-10:]


def until_not_ready(server):
    """Asks until the signal has arrived; the first answer other than 200."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (answer := server.get("/readyz")).status != 200:
            return answer
    raise AssertionError("still ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(start, number):
    server = start("--drain-delay", "2")
    expected = server.digits("vowels-cnn", [VOWEL])
    kept = server.connect()
    assert server.request("GET", "/livez", connection=kept).status == 200
    held, rest = half_sent(server)

    server.signal(number)
    assert until_not_ready(server).status == 503
    assert server.get("/v2/health/ready").status == 503
    assert server.get("/livez").status == 200
    assert server.digits("vowels-cnn", [VOWEL]) == expected, "a new connection in the drain delay"
    assert server.digits("vowels-cnn", [VOWEL], connection=kept) == expected, "a kept connection in the drain delay"
    held.sendall(rest)
    assert drain(held).startswith(b"HTTP/1.1 200 "), "a request that was in flight"
    assert server.exit_code() == 0, "".join(server.output)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        server.get("/livez")


def test_work_in_flight_is_finished_without_a_drain_delay(start):
    server = start("--drain-delay", "0")
    instances = [sequence for _, sequence in reference.proteins()] * 2
    body = json.dumps({"instances": instances}).encode()
    connection = server.socket()
    connection.sendall(
        b"POST /v1/models/peptide-bytenet:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    # The server has the request then; one that still waits to be accepted would go with the port.
    ready = b""
    while not ready.endswith(b"\r\n\r\n"):
        ready += connection.recv(1)
    assert ready.startswith(b"HTTP/1.1 100 ")
    connection.sendall(body)
    server.signal()
    received = drain(connection)
    assert received.startswith(b"HTTP/1.1 200 "), received[:300]
    assert len(json.loads(received.split(b"\r\n\r\n", 1)[1])["predictions"]) == len(instances)
    assert server.exit_code() == 0, "".join(server.output)


def test_a_second_signal_does_not_turn_the_exit_into_a_failure(start):
    server = start("--drain-delay", "1")
    server.signal()
    until_not_ready(server)
    server.signal()
    assert server.exit_code() in (0, -signal.SIGTERM)

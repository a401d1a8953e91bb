"""Clients that are too slow: each phase of a request has its own time, an answer where one is possible, and an end."""

import json
import socket
import time

import pytest

import reference
from seqnorm import PATIENCE, drain

VOWEL = reference.sequences("vowels-cnn")[0]
PATH = b"/v1/models/vowels-cnn:predict"
SHORT = {
    "idle": ("--idle-timeout", "0.3"),
    "header": ("--header-timeout", "0.3"),
    "body": ("--body-timeout", "0.3"),
}
SENT = {
    "header": b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\n",
    "body": b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{",
}
WORDS = {"header": "request line and header fields did not arrive within 0.3 seconds",
         "body": "request body did not keep arriving for 0.3 seconds"}


@pytest.mark.parametrize("phase", SENT)
def test_a_request_that_stops_half_way_is_answered_408(start, phase):
    server = start(*SHORT[phase])
    for _ in range(2):
        with server.socket() as connection:
            connection.sendall(SENT[phase])
            received = drain(connection)
        assert received.startswith(b"HTTP/1.1 408 ") and b"\r\nConnection: close\r\n" in received, received
        body = json.loads(received.split(b"\r\n\r\n", 1)[1])
        assert body["code"] == "request_timeout" and body["error"] == WORDS[phase]


@pytest.mark.parametrize("phase", SENT)
def test_bytes_one_at_a_time_do_not_hold_a_connection(start, phase):
    server = start(*SHORT[phase])
    with server.socket() as connection:
        connection.sendall(SENT[phase])
        end = time.monotonic() + PATIENCE
        connection.settimeout(0.02)
        received = b""
        while not received and time.monotonic() < end:
            try:
                connection.sendall(b"x")
                received = connection.recv(1 << 16)
            except socket.timeout:
                pass
    assert received.startswith(b"HTTP/1.1 408 "), received


def test_a_connection_at_rest_is_closed_without_a_word(start):
    server = start(*SHORT["idle"])
    body = json.dumps({"instances": [VOWEL]}).encode()
    with server.socket() as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (PATH, len(body), body))
        received = drain(connection)
    assert received.startswith(b"HTTP/1.1 200 ") and received.count(b"HTTP/1.1 ") == 1, received


def test_a_client_that_does_not_read_is_cut_off_and_others_are_not_held_up(start):
    server = start("--write-timeout", "0.5")
    expected = server.digits("vowels-cnn", [VOWEL])
    # Some 50 MB of answers, which no socket's buffers take.
    lines = (json.dumps(VOWEL) + "\n").encode() * 5_000
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    held.connect(("127.0.0.1", server.port))
    held.sendall(b"POST /v1/models/vowels-cnn:normalize HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(lines))
    try:
        held.sendall(lines)
    except OSError:
        pass  # cut off already
    end = time.monotonic() + PATIENCE
    while server.metric("seqnorm_http_connections") > 1:
        assert time.monotonic() < end, "still held"
        assert server.digits("vowels-cnn", [VOWEL]) == expected
    held.close()

"""Frames that break the rules, or only mean harm: the connection ends at most, and nobody else notices."""

import contextlib
import random
import time

import h2.errors
import hpack
import pytest

from http2 import PEPTIDES, PREDICT, PREFACE, SETTINGS, Client, frame
from seqnorm import PATIENCE, drain

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "a")]
POST = [(":method", "POST"), (":scheme", "http"), (":path", PREDICT), (":authority", "a")]


def head(fields, flags=0x5, stream=1):
    return frame(1, flags, stream, hpack.Encoder().encode(fields))


def setting(name, value):
    return frame(4, 0, 0, name.to_bytes(2, "big") + value.to_bytes(4, "big"))


def number(value):
    return value.to_bytes(4, "big")


HOSTILE = {
    "a frame of no known type": frame(0xEE, 0xFF, 7, b"x" * 100),
    "a frame over the size": (1 << 20).to_bytes(3, "big") + b"\0\0\0\0\0\1" + b"x" * 50_000,
    "a frame that claims more than comes": b"\0\x40\0\0\0\0\0\0\1abc",
    "bits that are reserved": b"\0\0\0\x04\0\xff\xff\xff\xff",
    "data for the connection": frame(0, 0, 0, b"x"),
    "data on no stream": frame(0, 0, 5, b"x"),
    "data behind the end": head(POST) + frame(0, 1, 1, b"{}") * 3,
    "data with more padding than data": head(POST, 4) + frame(0, 8, 1, b"\xffx"),
    "nothing, padded": head(POST, 4) + frame(0, 8, 1, b""),
    "a head for the connection": head(GET, stream=0),
    "a head on a stream of the server's": head(GET, stream=2),
    "a head twice": head(GET) * 3,
    "heads on falling streams": head(GET, stream=9) + head(GET, stream=3),
    "a head behind the end": head(POST, 4) + head(POST, 4),
    "a head with more padding than head": frame(1, 0xD, 1, b"\xff\x82"),
    "a head that depends on itself": frame(1, 0x25, 1, number(1) + b"\x10" + hpack.Encoder().encode(GET)),
    "an empty head": frame(1, 5, 1),
    "a head that is cut": frame(1, 1, 1, hpack.Encoder().encode(GET)) + frame(6, 0, 0, b"x" * 8),
    "a head without an end": frame(1, 1, 1, hpack.Encoder().encode(GET)[:3]),
    "more of no head": frame(9, 4, 1, b"\x82"),
    "more of another stream's head": frame(1, 1, 1, b"\x82") + frame(9, 4, 3, b"\x84"),
    "more of a head, without end": frame(1, 1, 1, b"\x82") + frame(9, 0, 1) * 20_000,
    "much more of a head": frame(1, 1, 1, b"\x82") + frame(9, 0, 1, b"\0\x01a\x7f\xff\x7e" + b"b" * 16_000) * 40,
    "index 0": frame(1, 5, 1, b"\x80"),
    "an index of nothing": frame(1, 5, 1, b"\xff\xff\xff\x7f"),
    "an index without end": frame(1, 5, 1, b"\xff" * 200),
    "a length of more than there is": frame(1, 5, 1, b"\x82\0\x7f\xff\xff\xff\xff\x07abc"),
    "a length without end": frame(1, 5, 1, b"\0\x7f" + b"\xff" * 100),
    "a wrong Huffman code": frame(1, 5, 1, b"\0\x84\xff\xff\xff\xff\x84\xff\xff\xff\xff"),
    "a table over the size": frame(1, 5, 1, b"\x3f\xff\xff\xff\x7f\x82"),
    "a small head that becomes a huge one": frame(
        1, 5, 1, b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4000 + b"\xbe" * 12_000),
    "settings on a stream": frame(4, 0, 1),
    "settings that are cut": frame(4, 0, 0, b"\0\4\0"),
    "settings that are taken note of, with more": frame(4, 1, 0, b"\0\4\0\0\0\0"),
    "notes of settings that were not sent": frame(4, 1, 0) * 20,
    "a window over the size": setting(4, 1 << 31),
    "the largest window, and more": setting(4, (1 << 31) - 1) + head(POST, 4) + frame(8, 0, 1, number((1 << 31) - 1)),
    "no window, and back": head(POST, 4) + setting(4, 0) + setting(4, (1 << 31) - 1) + setting(4, 0),
    "a frame size under the least": setting(5, 1),
    "a frame size over the most": setting(5, 1 << 24),
    "the largest table": setting(1, (1 << 32) - 1) + head(GET),
    "no table": setting(1, 0) + head(GET),
    "no streams": setting(3, 0) + head(GET),
    "neither yes nor no": setting(2, 7),
    "a setting nobody knows": setting(0xFFFF, 0xFFFFFFFF) + head(GET),
    "a short ping": frame(6, 0, 0, b"x" * 7),
    "a ping on a stream": frame(6, 0, 1, b"x" * 8),
    "the answer to no ping": frame(6, 1, 0, b"x" * 8),
    "a window of no more": frame(8, 0, 0, number(0)),
    "a window of no more on a stream": head(POST, 4) + frame(8, 0, 1, number(0)),
    "a window that overflows": frame(8, 0, 0, number((1 << 31) - 1)) * 3,
    "a window that overflows on a stream": head(POST, 4) + frame(8, 0, 1, number((1 << 31) - 1)) * 3,
    "a window on no stream": frame(8, 0, 11, number(1)),
    "a short window": frame(8, 0, 0, b"\0\1"),
    "a reset of no stream": frame(3, 0, 11, number(0)),
    "a reset of the connection": frame(3, 0, 0, number(0)),
    "a short reset": head(POST, 4) + frame(3, 0, 1, b"x"),
    "two resets": head(POST, 4) + frame(3, 0, 1, number(8)) * 2,
    "data behind a reset": head(POST, 4) + frame(3, 0, 1, number(8)) + frame(0, 1, 1, b"{}"),
    "a stream that depends on itself": frame(2, 0, 3, number(3) + b"\1"),
    "a short priority": frame(2, 0, 3, b"\1"),
    "a promise": head(POST, 4) + frame(5, 4, 1, number(2) + hpack.Encoder().encode(GET)),
    "a short end": frame(7, 0, 0, b"\0"),
    "the end, and a request": frame(7, 0, 0, number(0) * 2) + head(GET),
    "the end on a stream": frame(7, 0, 1, number(0) * 2),
    "the end of what never began": frame(7, 0, 0, number(0x7FFFFFFF) + number(0xFFFFFFFF) + b"x" * 1000),
    "another origin": frame(0xC, 0, 0, b"\xff\xff" + b"x" * 10) + frame(0xA, 0, 0, b"\xff\xffx"),
    "the beginning twice": PREFACE + SETTINGS,
    "another protocol": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_frames_that_break_the_rules_hurt_nobody_else(server, name):
    for beginning in (PREFACE + SETTINGS, PREFACE):
        server.raw(beginning + HOSTILE[name], shut=True)
        assert server.get("/livez").status == 200
    assert server.process.poll() is None


def test_any_frames_at_all_hurt_nobody_else(server):
    chance = random.Random(1)
    bodies = [hpack.Encoder().encode(GET), hpack.Encoder().encode(POST), b"\0\0\0\1\1", b"{}", b""]

    def any_frame():
        kind = chance.choice([*range(13), 0, 1, 1, 8, 9, 255])
        payload = chance.choice([*bodies, chance.randbytes(chance.choice([1, 4, 6, 8, 12, 300]))])
        if chance.random() < 0.2:
            place = chance.randrange(len(payload) + 1)
            payload = payload[:place] + chance.randbytes(1) + payload[place:]
        return frame(kind, chance.choice([0, 1, 4, 5, 8, 0x20, 0x2D, chance.randrange(256)]), chance.randrange(8), payload)

    for _ in range(400):
        sent = PREFACE + SETTINGS + b"".join(any_frame() for _ in range(chance.randrange(1, 30)))
        server.raw(sent, shut=True)
    end = time.monotonic() + PATIENCE
    while server.metric("seqnorm_http_connections") > 1:
        assert time.monotonic() < end, "connections are left"
    assert server.predict("peptide-bytenet", PEPTIDES)


@pytest.mark.parametrize("fields, ends", [
    ([("connection", "close")], True),
    ([("transfer-encoding", "chunked")], True),
    ([("te", "gzip")], True),
    ([("Upper", "case")], True),
    ([("a b", "c")], True),
    ([("x", "line\r\nbreak: 1")], True),
    ([(":late", "1")], True),
    ([(":path", "/twice")], True),
    ([("content-length", "-1")], False),
    ([("content-length", "99999999999999999999999")], False),
    ([("content-length", "five")], False),
    ([("content-length", "1"), ("content-length", "2")], False),
    ([("content-length", "5")], True),
])
def test_a_request_that_breaks_the_rules_ends_itself_only(server, fields, ends):
    client = Client(server, checks=False)
    held = client.begin("POST", PREDICT, [("content-type", "application/json")], ends=False)
    stream = client.begin("POST", PREDICT, fields, ends=ends)
    assert client.answer(stream)[0] is None and client.answers[stream]["reset"] == h2.errors.ErrorCodes.PROTOCOL_ERROR
    client.send(held, b'{"instances": ["G"]}', ends=True)
    assert client.answer(held)[0] == 200
    client.close()


@pytest.mark.parametrize("fields", [[(":path", "")], [(":authority", "")], [("host", "other")], [(":method", "CONNECT")]])
def test_a_head_that_is_odd_is_answered_or_reset(server, fields):
    client = Client(server, checks=False)
    merged = dict([(":method", "GET"), (":path", "/livez"), (":scheme", "http"), (":authority", "test"), *fields])
    stream = client.h2.get_next_available_stream_id()
    client.h2.send_headers(stream, list(merged.items()), end_stream=True)
    client.answers[stream] = {"headers": None, "body": b"", "ended": False, "reset": None}
    client.flush()
    assert client.answer(stream)[0] in (None, 200, 400)
    assert client.answer(client.begin("GET", "/livez"))[0] == 200
    client.close()


FLOODS = {
    "resets": lambda stream: head(POST, 4, stream) + frame(3, 0, stream, number(8)),
    "requests that break the rules": lambda stream: head([*POST, ("content-length", "-1")], 4, stream),
    "requests without an end": lambda stream: head(POST, 4, stream),
    "pings": lambda _: frame(6, 0, 0, b"x" * 8),
    "settings": lambda _: setting(4, 65535),
    "priorities": lambda _: frame(2, 0, 1, number(3) + b"\1"),
    "frames of nothing": lambda stream: (head(POST, 4) if stream == 1 else b"") + frame(0, 0, 1),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_the_connection_and_hurts_nobody_else(server, name):
    resident = server.resident()
    with server.socket() as connection:
        connection.sendall(PREFACE + SETTINGS)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for stream in range(1, 10_001, 2):
                connection.sendall(FLOODS[name](stream))
        drain(connection)
    assert server.get("/livez").status == 200
    assert server.predict("peptide-bytenet", PEPTIDES)
    assert server.resident() - resident < 32 << 20

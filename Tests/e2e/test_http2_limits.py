"""The limits, times and the end of a connection hold in HTTP/2 as they do in HTTP/1.1."""

import json
import threading
import time

import h2.errors
import h2.events
import h2.settings
import hpack
import pytest

from http2 import PEPTIDES, PREDICT, PREFACE, SETTINGS, VOWEL, Client, frame
from seqnorm import MODELS, PATIENCE, Server
from test_drain import until_not_ready

BODY = json.dumps({"instances": PEPTIDES}).encode()


def test_a_stream_that_is_not_taken_is_reset_in_time(start):
    server = start("--write-timeout", "0.2")
    client = Client(server, opens=False)
    heavy = client.post("/v1/models/vowels-cnn:normalize", json.dumps({"instances": [VOWEL] * 300}).encode())
    client.until(lambda: client.answers[heavy]["reset"] is not None)
    assert client.answer(client.begin("HEAD", "/livez"))[0] == 200, "other streams go on"
    client.close()


@pytest.mark.parametrize("arguments, headers, body, status", [
    (("--max-header-bytes", "1000"), [("x-long", "a" * 1500)], None, 431),
    (("--max-body-bytes", "1000"), [("content-length", "5000")], None, 413),
    (("--max-body-bytes", "1000"), [], b"[" * 2000, 413),
    (("--body-timeout", "0.05"), [("content-length", "10")], b"{", 408),
])
def test_a_limit_is_told_before_the_request_has_come_whole(start, arguments, headers, body, status):
    server = start(*arguments)
    client = Client(server)
    stream = client.begin("POST", PREDICT, [("content-type", "application/json"), *headers], ends=False)
    if body:
        client.send(stream, body)
    assert client.answer(stream)[0] == status
    client.until(lambda: client.answers[stream]["reset"] is not None)
    assert client.answers[stream]["reset"] == h2.errors.ErrorCodes.NO_ERROR
    assert client.answer(client.begin("GET", "/livez"))[0] == 200, "the connection goes on"
    client.close()


def test_keys_are_asked_for_before_the_body(start, tmp_path):
    import hashlib

    (tmp_path / "keys").write_text(f"one infer {hashlib.sha256(b'k').hexdigest()}\n")
    server = start("--api-keys", tmp_path / "keys")
    client = Client(server)
    fields = [("content-type", "application/json"), ("content-length", "100")]
    assert client.answer(client.begin("POST", PREDICT, fields, ends=False))[0] == 401
    body = json.dumps({"instances": PEPTIDES}).encode()
    stream = client.begin(
        "POST", PREDICT, [("content-type", "application/json"), ("authorization", "Bearer k")], ends=False)
    client.send(stream, body, ends=True)
    assert client.answer(stream)[0] == 200
    client.close()


def test_more_streams_than_allowed_are_refused(start):
    server = start("--max-concurrent-streams", "3")
    client = Client(server)
    client.until(lambda: client.has(h2.events.RemoteSettingsChanged))
    assert client.h2.remote_settings.max_concurrent_streams == 3
    held = [client.begin("POST", PREDICT, [("content-length", "10")], ends=False) for _ in range(3)]
    client.h2.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 100
    client.h2.remote_settings.acknowledge()
    client.begin("GET", "/livez")
    client.to_the_end()
    assert not any(client.answers[stream]["ended"] for stream in held)
    assert server.get("/livez").status == 200
    client.close()


def test_refused_bodies_leave_the_connection_its_window(start):
    server = start("--max-body-bytes", "1000")
    client = Client(server)
    for _ in range(40):
        stream = client.begin("POST", PREDICT, [("content-type", "application/json")], ends=False)
        # All of it is on its way when the refusal comes.
        client.h2.send_data(stream, b"[" * 16000)
        client.h2.send_data(stream, b"[" * 16000)
        client.flush()
        assert client.answer(stream)[0] == 413
        client.until(lambda: client.answers[stream]["reset"] is not None)
    body = json.dumps({"instances": PEPTIDES}).encode()
    assert client.answer(client.post(PREDICT, body))[0] == 200
    client.close()


def test_requests_are_answered_until_the_last_one_of_a_server_that_drains(start):
    server = start("--drain-delay", "3")
    client = Client(server)
    assert client.answer(client.begin("GET", "/livez"))[0] == 200
    server.signal()
    assert until_not_ready(server).status == 503
    # All are sent before the first answer says that no more should be.
    streams = [client.begin("GET", "/livez") for _ in range(5)]
    for stream in streams:
        assert client.answer(stream)[0] == 200
    assert client.ends[0] == (2**31 - 1, h2.errors.ErrorCodes.NO_ERROR)
    client.to_the_end()
    assert client.ends[-1] == (streams[-1], h2.errors.ErrorCodes.NO_ERROR)
    client.close()
    assert server.exit_code() == 0, "".join(server.output)


def test_streams_are_finished_when_the_server_drains(start):
    server = start("--drain-delay", "0")
    client = Client(server)
    body = json.dumps({"instances": PEPTIDES}).encode()
    held = client.begin("POST", PREDICT, [("content-type", "application/json")], ends=False)
    client.send(held, body[:-5])
    assert client.answer(client.begin("GET", "/livez"))[0] == 200
    server.signal()
    client.until(lambda: client.ends)
    client.send(held, body[-5:], ends=True)
    assert client.answer(held)[0] == 200, "a request that was in flight"
    client.to_the_end()
    client.close()
    assert server.exit_code() == 0, "".join(server.output)


def one_drain(server):
    """Signals a server under load; every stream up to the one that the last GOAWAY names is answered whole."""
    answered, lost = [], []

    def load():
        client = Client(server)
        streams = []
        try:
            while not client.ends:
                streams += [client.post(PREDICT, BODY) for _ in range(5)]
                while not client.ends and any(not client.answers[stream]["ended"] for stream in streams):
                    client.receive()
                answered.extend(streams if not client.ends else [])
        except OSError:
            pass
        client.to_the_end()
        last = client.ends[-1][0] if client.ends else 2**31
        taken = [client.answers[stream] for stream in streams if stream <= last]
        lost.extend(each for each in taken if not each["ended"] or each["headers"][":status"] != "200")
        client.close()

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(answered) < 20:
        time.sleep(0.001)
    server.signal()
    for thread in threads:
        thread.join(PATIENCE)
    assert server.exit_code() == 0, "".join(server.output)
    assert not lost, lost[0]


def test_a_signal_under_load_loses_no_stream_that_was_taken():
    for delay in ("0", "0.2") * 5:
        one_drain(Server("--drain-delay", delay, paths=[MODELS / "peptide-bytenet"]))


def test_a_connection_that_rests_is_closed_in_time(start):
    server = start("--idle-timeout", "0.05")
    client = Client(server)
    stream = client.begin("GET", "/livez")
    assert client.answer(stream)[0] == 200
    client.to_the_end()
    assert client.ends[-1] == (stream, h2.errors.ErrorCodes.NO_ERROR)
    client.close()


@pytest.mark.parametrize("sent", [b"", PREFACE[:5], PREFACE, PREFACE + b"\0\0\x20\x01\x04\0\0\0\x01"])
def test_a_connection_that_asks_for_nothing_is_closed_in_time(start, sent):
    server = start("--header-timeout", "0.1")
    with server.socket() as silent:
        silent.sendall(sent)
        while silent.recv(1 << 16):
            pass


def test_a_client_that_takes_no_answers_is_read_no_further(start):
    """Answers without a body are not held back by windows, so reading has to stop."""
    server = start("--write-timeout", "1")
    server.get("/livez")
    resident, stream = server.resident(), 1
    fields = [(":method", "HEAD"), (":scheme", "http"), (":path", "/livez"), (":authority", "a")]

    def one(number):
        # An id of its own makes each answer long, whatever the tables of both sides hold.
        return frame(1, 5, number, hpack.Encoder().encode([*fields, ("x-request-id", f"{number:X>100}")]))

    with server.socket() as connection:
        connection.sendall(PREFACE + SETTINGS)
        with pytest.raises(OSError):
            while stream < 1 << 26:
                connection.sendall(b"".join(map(one, range(stream, stream + 400, 2))))
                stream += 400
    print(f"{stream // 2} requests until the server had enough")
    assert server.resident() - resident < 32 << 20
    assert server.get("/livez").status == 200

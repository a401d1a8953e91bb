"""HTTP/2 by real clients: curl, httpx, and one that is told of every frame."""

import json
import subprocess

import h2.events
import httpx
import pytest

import reference
from http2 import PEPTIDES, PREDICT, PREFACE, VOWEL, Client
from seqnorm import PATIENCE, ROOT, trusting

FIXTURES = ROOT / "Tests/Fixtures/tls"


@pytest.fixture
def client(server):
    running = Client(server)
    yield running
    running.close()


def curl(*arguments):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--output", "-", "--write-out", "\n%{http_version} %{http_code}", *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done
    body, _, last = done.stdout.rpartition("\n")
    return body, last


def test_curl_speaks_it_without_tls_when_it_knows(server):
    url = f"http://127.0.0.1:{server.port}"
    assert curl("--http2-prior-knowledge", f"{url}/livez")[1] == "2 200"
    assert curl("--http1.1", f"{url}/livez")[1] == "1.1 200"
    body = json.dumps({"instances": PEPTIDES})
    answers = [curl(version, "--json", body, url + PREDICT) for version in ("--http2-prior-knowledge", "--http1.1")]
    assert [last for _, last in answers] == ["2 200", "1.1 200"]
    assert answers[0][0] == answers[1][0]


def test_curl_may_choose_over_tls(start):
    server = start(
        "--tls-certificate", FIXTURES / "first.pem", "--tls-key", FIXTURES / "first.key", tls=trusting(FIXTURES / "first.pem"))
    url = f"https://127.0.0.1:{server.port}/livez"
    for version, last in [("--http2", "2 200"), ("--http1.1", "1.1 200")]:
        assert curl(version, "--cacert", FIXTURES / "first.pem", url)[1] == last


def test_httpx_gets_the_same_bits_over_tls(start, server):
    context = trusting(FIXTURES / "first.pem")
    over = start("--tls-certificate", FIXTURES / "first.pem", "--tls-key", FIXTURES / "first.key", tls=context)
    with httpx.Client(http2=True, verify=context, base_url=f"https://127.0.0.1:{over.port}") as client:
        for path in ("/v1/models/vowels-cnn:predict",) * 3:
            answer = client.post(path, json={"instances": [VOWEL]})
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
            assert answer.json(parse_float=str)["predictions"] == server.digits("vowels-cnn", [VOWEL])


def test_it_is_not_spoken_where_it_is_turned_off(start):
    plain = start("--http2", "false")
    assert plain.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    context = trusting(FIXTURES / "first.pem")
    secure = start(
        "--http2", "false", "--tls-certificate", FIXTURES / "first.pem", "--tls-key", FIXTURES / "first.key", tls=context)
    asking = trusting(FIXTURES / "first.pem")
    asking.set_alpn_protocols(["h2", "http/1.1"])
    with asking.wrap_socket(secure.socket(), server_hostname="127.0.0.1") as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_many_requests_share_a_connection(client, server):
    streams = {}
    for number in range(60):
        sequence = reference.sequences("vowels-cnn")[number % 10]
        streams[client.post("/v1/models/vowels-cnn:predict", json.dumps({"instances": [sequence]}).encode())] = sequence
    for stream, sequence in streams.items():
        status, body = client.answer(stream)
        assert status == 200
        assert json.loads(body, parse_float=str)["predictions"] == server.digits("vowels-cnn", [sequence])


def test_an_answer_has_the_fields_of_http_and_none_of_a_connection(client):
    stream = client.begin("GET", "/livez", [("x-request-id", "mine-1")])
    assert client.answer(stream)[0] == 200
    fields = client.answers[stream]["headers"]
    assert fields["x-request-id"] == "mine-1" and "date" in fields and "content-length" in fields
    assert not {"connection", "transfer-encoding", "keep-alive"} & set(fields)


def test_head_and_empty_answers_end_with_their_head(client):
    for method, path, status in [("HEAD", "/livez", 200), ("OPTIONS", PREDICT, 204), ("GET", "/nowhere", 404)]:
        stream = client.begin(method, path)
        found, body = client.answer(stream)
        assert found == status and (body == b"") == (status != 404)


def test_a_preface_in_pieces_is_one(server):
    client = Client(server, pieces=True)
    assert client.answer(client.begin("GET", "/livez"))[0] == 200
    client.close()


def test_lines_go_both_ways_at_once(client):
    stream = client.begin("POST", PREDICT, [("content-type", "application/x-ndjson")], ends=False)
    for number in range(1, 6):
        client.send(stream, json.dumps({"sequence": PEPTIDES[0]}).encode() + b"\n")
        client.until(lambda: client.answers[stream]["body"].count(b"\n") >= number)
    client.send(stream, b"", ends=True)
    status, body = client.answer(stream)
    assert status == 200 and len(set(body.splitlines())) == 1


def test_a_client_that_takes_nothing_is_sent_no_more_than_its_window_holds(server):
    client = Client(server, opens=False)
    heavy = client.post("/v1/models/vowels-cnn:normalize", json.dumps({"instances": [VOWEL] * 300}).encode())
    client.until(lambda: len(client.answers[heavy]["body"]) >= 65535)
    # What comes behind the window would come before the answer to a ping.
    client.h2.ping(b"12345678")
    client.flush()
    client.until(lambda: client.has(h2.events.PingAckReceived))
    assert len(client.answers[heavy]["body"]) == 65535 and not client.answers[heavy]["ended"]
    client.opens = True
    client.h2.increment_flow_control_window(1 << 24)
    client.h2.increment_flow_control_window(1 << 24, heavy)
    client.flush()
    status, body = client.answer(heavy)
    assert status == 200 and len(json.loads(body)["normalized"]) == 300
    client.close()

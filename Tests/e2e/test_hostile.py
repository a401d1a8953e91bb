"""Bad input over a real socket: each names the place, none is a 500, none changes a neighbour's answer."""

import concurrent.futures
import json
import select
import socket
import time

import pytest

import reference
from seqnorm import drain

VOWEL = [[0.1 * channel + 0.01 * step for channel in range(12)] for step in range(9)]
CNN, PEPTIDES = "/v1/models/vowels-cnn:predict", "/v1/models/peptide-bytenet:predict"
INFER = "/v2/models/vowels-cnn/infer"


def instances(*rows, **extra):
    return json.dumps({"instances": list(rows), **extra})


def vowel(step, channel, text):
    """A good vowel, with the number at one place replaced by a text."""
    rows = [[repr(value) for value in row] for row in VOWEL]
    rows[step][channel] = text
    return "[" + ",".join("[" + ",".join(row) + "]" for row in rows) + "]"


def x(shape, count, datatype="FP32", name="x", value=0.5):
    return json.dumps({"inputs": [{"name": name, "datatype": datatype, "shape": shape, "data": [value] * count}]})


# name: path, body, statuses that may answer it, what the place or the message must name
BODIES = {
    "not JSON": (CNN, "vowel", {400}, ""),
    "an empty body": (CNN, "", {400}, ""),
    "a number": (CNN, "7", {400}, ""),
    "an array": (CNN, "[]", {400}, ""),
    "truncated JSON": (CNN, instances(VOWEL)[:-9], {400}, ""),
    "text after the object": (CNN, instances(VOWEL) + " x", {400}, ""),
    "two objects": (CNN, instances(VOWEL) * 2, {400}, ""),
    "bytes that are not UTF-8": (PEPTIDES, b'{"instances": ["\xff\xfe"]}', {400}, ""),
    "an unpaired surrogate": (PEPTIDES, '{"instances": ["\\ud800"]}', {400, 422}, ""),
    "a NUL byte": (PEPTIDES, '{"instances": ["A\\u0000C"]}', {422}, "instances[0]"),
    "no instances": (CNN, "{}", {400, 422}, "instances"),
    "instances null": (CNN, '{"instances": null}', {400, 422}, "instances"),
    "instances a number": (CNN, '{"instances": 3}', {400, 422}, "instances"),
    "instances a string": (CNN, '{"instances": "ACD"}', {400, 422}, "instances"),
    "empty instances": (CNN, '{"instances": []}', {422}, "instances"),
    "instances twice": (CNN, '{"instances": [], "instances": []}', {400, 422}, "instances"),
    "an empty sequence": (CNN, instances(VOWEL, []), {422}, "instances[1]"),
    "an empty string": (PEPTIDES, instances("ACD", ""), {422}, "instances[1]"),
    "a step without features": (CNN, instances(VOWEL, VOWEL, [[]]), {422}, "instances[2]"),
    "3 of 12 features": (CNN, instances(VOWEL, VOWEL, VOWEL, [*VOWEL, [1, 2, 3]]), {422}, "instances[3]"),
    "13 features": (CNN, instances([[0.5] * 13]), {422}, "instances[0]"),
    "a flat sequence": (CNN, instances([0.5] * 12), {400, 422}, "instances[0]"),
    "too deep a sequence": (CNN, instances([VOWEL]), {400, 422}, "instances[0]"),
    "a string among numbers": (CNN, '{"instances": [' + vowel(2, 5, '"x"') + "]}", {400, 422}, "instances[0]"),
    "null among numbers": (CNN, '{"instances": [' + vowel(2, 5, "null") + "]}", {400, 422}, "instances[0]"),
    "true among numbers": (CNN, '{"instances": [' + vowel(2, 5, "true") + "]}", {400, 422}, "instances[0]"),
    "NaN": (CNN, '{"instances": [' + vowel(0, 0, "NaN") + "]}", {400, 422}, ""),
    "Infinity": (CNN, '{"instances": [' + vowel(0, 0, "Infinity") + "]}", {400, 422}, ""),
    "-Infinity": (CNN, '{"instances": [' + vowel(0, 0, "-Infinity") + "]}", {400, 422}, ""),
    "beyond float": (CNN, '{"instances": [' + vowel(1, 1, "1e39") + "]}", {422}, "instances[0]"),
    "beyond double": (CNN, '{"instances": [' + vowel(1, 1, "1e400") + "]}", {400, 422}, ""),
    "a number of 100,000 digits": (CNN, '{"instances": [' + vowel(1, 1, "9" * 100_000) + "]}", {400, 422}, ""),
    "letters for numbers": (CNN, instances("ACD"), {400, 422}, "instances[0]"),
    "features for letters": (PEPTIDES, instances(VOWEL), {400, 422}, "instances[0]"),
    "a token too large": (PEPTIDES, instances([1, 2], [21]), {422}, "instances[1]"),
    "a token far too large": (PEPTIDES, instances([1, 9223372036854775807]), {422}, "instances[0]"),
    "a token beyond Int64": (PEPTIDES, '{"instances": [[99999999999999999999]]}', {400, 422}, ""),
    "a negative token": (PEPTIDES, instances([-1]), {422}, "instances[0]"),
    "a fractional token": (PEPTIDES, instances([1.5]), {400, 422}, "instances[0]"),
    "an unknown input": (CNN, instances({"y": VOWEL}), {400, 422}, "instances[0]"),
    "an object without inputs": (CNN, instances({}), {400, 422}, "instances[0]"),
    "an unknown output": (CNN, instances(VOWEL, outputs=["nothing"]), {404, 422}, "nothing"),
    "outputs of the wrong type": (CNN, instances(VOWEL, outputs=7), {400, 422}, "outputs"),
    "an unknown layer": (
        "/v1/models/vowels-cnn:normalize", instances(VOWEL, layer="nothing"), {404, 422}, "nothing"),
    "top_k 0": (CNN, instances(VOWEL, parameters={"top_k": 0}), {400, 422}, "top_k"),
    "top_k a string": (CNN, instances(VOWEL, parameters={"top_k": "2"}), {400, 422}, "top_k"),
    "top_k beyond Int64": (
        CNN, instances(VOWEL)[:-1] + ', "parameters": {"top_k": 1e300}}', {400, 422}, "top_k"),
    "100,000 open brackets": (CNN, "[" * 100_000, {400}, ""),
    "100,000 nested arrays": (CNN, '{"instances": ' + "[" * 100_000 + "]" * 100_000 + "}", {400, 422}, ""),
    "100,000 nested objects": (CNN, '{"instances": ' + '{"x":' * 100_000 + "1" + "}" * 100_000 + "}", {400, 422}, ""),
    "infer without inputs": (INFER, "{}", {400, 422}, "inputs"),
    "infer with empty inputs": (INFER, '{"inputs": []}', {400, 422}, ""),
    "infer of an unknown input": (INFER, x([1, 12, 2], 24, name="y"), {400, 422}, ""),
    "infer of another datatype": (INFER, x([1, 12, 2], 24, datatype="BYTES"), {400, 422}, ""),
    "infer with too few numbers": (INFER, x([1, 12, 2], 23), {400, 422}, ""),
    "infer with too many numbers": (INFER, x([1, 12, 2], 25), {400, 422}, ""),
    "infer of 11 channels": (INFER, x([1, 11, 2], 22), {400, 422}, ""),
    "infer of length 0": (INFER, x([1, 12, 0], 0), {400, 422}, ""),
    "infer of no sequences": (INFER, x([0, 12, 2], 0), {400, 422}, ""),
    "infer of a negative shape": (INFER, x([-1, 12, 2], 24), {400, 422}, ""),
    "infer of an absurd shape": (INFER, x([1 << 62, 12, 1 << 62], 1), {400, 422}, ""),
    "infer of another rank": (INFER, x([12, 2], 24), {400, 422}, ""),
    "an unknown model": ("/v1/models/nothing:predict", instances(VOWEL), {404}, "nothing"),
    "an unknown version": ("/v1/models/vowels-cnn/versions/99:predict", instances(VOWEL), {404}, "99"),
    "a version that is no number": ("/v1/models/vowels-cnn/versions/x:predict", instances(VOWEL), {400, 404}, ""),
    "a version beyond Int64": (
        "/v1/models/vowels-cnn/versions/99999999999999999999:predict", instances(VOWEL), {400, 404}, ""),
    "an unknown verb": ("/v1/models/vowels-cnn:explain", instances(VOWEL), {404}, ""),
    "an unknown path": ("/v3", instances(VOWEL), {404}, ""),
    "a path that climbs": ("/v1/models/../../etc/passwd:predict", instances(VOWEL), {400, 404}, ""),
    "a path with a broken escape": ("/v1/models/%zz:predict", instances(VOWEL), {400, 404}, ""),
    "a path with a NUL": ("/v1/models/%00:predict", instances(VOWEL), {400, 404}, ""),
}
OTHER = {
    "an unknown media type": (CNN, "application/x-pickle", instances(VOWEL), {415}, ""),
    "FASTA for features": (CNN, "text/x-fasta", ">a\nACD\n", {400, 415, 422}, ""),
    "FASTA without a header": (PEPTIDES, "text/x-fasta", "ACD\n", {400, 422}, ""),
    "FASTA without sequences": (PEPTIDES, "text/x-fasta", "\n", {400, 422}, ""),
    "FASTA with an empty record": (PEPTIDES, "text/x-fasta", ">a\nACD\n>b\n>c\nACD\n", {422}, ""),
    "FASTA with a foreign letter": (PEPTIDES, "text/x-fasta", ">a\nACD\n>b\nACZ\n", {422}, ""),
}


def check_error(answer, statuses, named):
    assert answer.status in statuses, (answer.status, answer.body[:500])
    body = answer.json()
    assert isinstance(body["error"], str) and body["error"]
    assert body["status"] == answer.status and body["code"] and body["request_id"]
    assert answer.headers["content-type"].startswith("application/json")
    assert len(answer.body) < 2000, "an error never repeats the request"
    assert named in body["error"] + " " + (body.get("path") or ""), body


@pytest.fixture
def neighbour(server):
    """A good answer before and after; the same bytes both times."""
    before = server.digits("vowels-cnn", [VOWEL])
    yield
    assert server.digits("vowels-cnn", [VOWEL]) == before
    assert server.get("/livez").status == 200


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_and_names_the_place(server, neighbour, name):
    path, body, statuses, named = BODIES[name]
    check_error(server.post(path, body), statuses, named)


@pytest.mark.parametrize("name", OTHER)
def test_a_bad_body_of_another_type_is_refused(server, neighbour, name):
    path, kind, body, statuses, named = OTHER[name]
    check_error(server.post(path, body, kind), statuses, named)


INVALID = [json.loads(line) for line in (reference.FOLDER / "data/peptides/invalid.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", INVALID, ids=lambda row: row["id"])
def test_letters_outside_the_alphabet_are_refused_by_their_place(server, neighbour, row):
    check_error(server.post(PEPTIDES, {"instances": ["ACD", "GLF", "KK", row["sequence"]]}), {422}, "instances[3]")


def test_a_bad_line_does_not_hide_the_good_ones(server, neighbour):
    lines = [json.dumps(VOWEL), "[[1, 2]]", "{", json.dumps(VOWEL)]
    answer = server.post(CNN, "\n".join(lines), "application/x-ndjson")
    if answer.status == 200:
        got = answer.lines()
        assert len(got) == 4 and "error" in got[1] and "error" in got[2]
    else:
        check_error(answer, {400, 422}, "")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_told_the_right_one(server, neighbour, method):
    answer = server.request(method, CNN)
    check_error(answer, {405}, "")
    assert "POST" in answer.headers["allow"]


def test_a_body_over_the_limit_is_refused_before_it_is_read(server, neighbour):
    head = f"POST {CNN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n"
    with server.socket() as connection:
        connection.sendall(head.encode())
        received = drain(connection)
    assert received.startswith(b"HTTP/1.1 413 ") and b"payload_too_large" in received
    assert b" bytes" in received, "names the limit"


def test_a_chunked_body_over_the_limit_is_refused_while_it_arrives(server, neighbour):
    head = f"POST {CNN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
    with server.socket() as connection:
        connection.sendall(head.encode())
        for count in range(256):
            if select.select([connection], [], [], 0)[0]:
                break
            connection.sendall(chunk)
        received = drain(connection, enough=lambda got: got.endswith(b"}"))
    print(f"answered after {count} MiB")
    assert received.startswith(b"HTTP/1.1 413 ") and b"payload_too_large" in received and b" bytes" in received


RAW = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "a line without a version": b"GET\r\n\r\n",
    "a header without a colon": b"GET /livez HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n",
    "a negative length": b"POST /v1/models/vowels-cnn:predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /v1/models/vowels-cnn:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"POST /v1/models/vowels-cnn:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": b"POST /v1/models/vowels-cnn:predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a header too large": b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n",
    "100,000 headers": b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
    "a path too long": b"GET /" + b"x" * (1 << 20) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_broken_requests_are_refused_and_the_connection_closed(server, neighbour, name):
    received = server.raw(RAW[name])
    assert not received or received.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 501", b"HTTP/1.1 505")), received[:200]


def test_clients_that_go_away_are_forgotten(server, neighbour):
    body = instances(*[VOWEL] * 64).encode()
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
        CNN.encode(), len(body))
    for cut in (1, len(head) - 1, len(head), len(head) + 100, len(head) + len(body)):
        for _ in range(8):
            connection = server.socket()
            connection.sendall((head + body)[:cut])
            # Linger 0: the close is a reset, as when a process dies.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()


def test_half_sent_requests_hold_nobody_up(server, neighbour):
    body = instances(VOWEL).encode()
    whole = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        CNN.encode(), len(body), body)
    expected = server.digits("vowels-cnn", [VOWEL])
    held = [server.socket() for _ in range(20)]
    for connection in held:
        connection.sendall(whole[:-7])
    assert server.digits("vowels-cnn", [VOWEL]) == expected
    for connection in held:
        connection.sendall(whole[-7:])
    for connection in held:
        received = drain(connection, enough=lambda got: got.endswith(b"}") or got.endswith(b"}\n"))
        assert received.startswith(b"HTTP/1.1 200 "), received[:200]
        assert json.loads(received.split(b"\r\n\r\n", 1)[1], parse_float=str)["predictions"] == expected
        connection.close()


def test_pipelined_requests_are_answered_in_order(server):
    models = ["vowels-cnn", "vowels-bnlstm"] * 4
    body = instances(VOWEL).encode()
    payload = b"".join(
        b"POST /v1/models/%s:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
        % (model.encode(), len(body), b"Connection: close\r\n" if number == 7 else b"", body)
        for number, model in enumerate(models))
    received = server.raw(payload)
    bodies = [part.split(b"\r\n\r\n", 1)[1] for part in received.split(b"HTTP/1.1 200 ")[1:]]
    expected = {model: server.digits(model, [VOWEL]) for model in models}
    assert [json.loads(each, parse_float=str)["predictions"] for each in bodies] == [expected[model] for model in models]


def test_expect_continue_is_answered_first(server):
    body = instances(VOWEL).encode()
    head = (
        f"POST {CNN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    with server.socket() as connection:
        connection.sendall(head)
        assert drain(connection, enough=lambda got: b"\r\n\r\n" in got).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert drain(connection).startswith(b"HTTP/1.1 200 ")


def test_hostile_clients_change_no_answer_of_good_ones_beside_them(server):
    expected = server.digits("vowels-cnn", [VOWEL])
    cases = [case for name, case in BODIES.items() if "100,000" not in name]
    end = time.monotonic() + 3

    def good(_):
        count, connection = 0, server.connect()
        while time.monotonic() < end:
            assert server.digits("vowels-cnn", [VOWEL], connection=connection) == expected
            count += 1
        return count

    def bad(lane):
        while time.monotonic() < end:
            for path, body, statuses, _ in cases[lane::4]:
                assert server.post(path, body).status in statuses

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        hostile = [pool.submit(bad, lane) for lane in range(4)]
        assert sum(pool.map(good, range(4))) > 0
        for each in hostile:
            each.result()

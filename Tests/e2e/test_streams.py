"""JSON Lines of any length: answered while they come, in order, without holding more than a few lines."""

import json
import os
import pathlib
import threading
import time
import zlib

import pytest

from seqnorm import PATIENCE, drain

PEPTIDES = ["GLFDIVKKVVGALGSL", "GIGKFLHSAKKFGKAFVGEIMNS", "ACDEFGHIKLMNPQRSTVWY"]
HEAD = (
    b"POST /v1/models/peptide-bytenet:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
)


def line(number):
    return json.dumps({"id": number, "sequence": PEPTIDES[number % 3]}).encode() + b"\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def parts(file):
    while size := int(file.readline(), 16):
        yield file.read(size)
        file.readline()
    file.readline()


def begin(server, framing=b"Transfer-Encoding: chunked\r\n"):
    connection = server.socket()
    connection.sendall(HEAD + framing + b"\r\n")
    return connection, connection.makefile("rb")


def read_head(file):
    status, fields = file.readline(), {}
    while field := file.readline().strip():
        name, value = field.split(b": ", 1)
        fields[name.lower()] = value
    return int(status.split()[1]), fields


def resident(server):
    return int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_line_is_answered_before_the_next_is_sent(server):
    connection, file = begin(server)
    expected = server.digits("peptide-bytenet", PEPTIDES)
    for number in range(10):
        connection.sendall(chunk(line(number)))
        if number == 0:
            assert read_head(file)[0] == 200
        size = int(file.readline(), 16)
        answer = json.loads(file.read(size), parse_float=str)
        file.readline()
        assert answer == {"id": answer["id"], "predictions": expected[number % 3]}
        assert answer["id"] == number
    connection.sendall(b"0\r\n\r\n")
    assert list(parts(file)) == []
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_head(file)[0] == 200, "the connection goes on"


@pytest.mark.parametrize("coding, wbits", [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_compressed_line_is_answered_before_the_next_is_sent(server, coding, wbits):
    connection, file = begin(
        server, b"Transfer-Encoding: chunked\r\nContent-Encoding: %s\r\nAccept-Encoding: gzip\r\n" % coding.encode())
    expected = server.digits("peptide-bytenet", PEPTIDES)
    packer, unpacker = zlib.compressobj(wbits=wbits), zlib.decompressobj(wbits=31)
    for number in range(10):
        connection.sendall(chunk(packer.compress(line(number)) + packer.flush(zlib.Z_SYNC_FLUSH)))
        if number == 0:
            status, fields = read_head(file)
            assert status == 200 and fields[b"content-encoding"] == b"gzip"
        size = int(file.readline(), 16)
        answer = json.loads(unpacker.decompress(file.read(size)), parse_float=str)
        file.readline()
        assert answer == {"id": answer["id"], "predictions": expected[number % 3]}
    connection.sendall(chunk(packer.flush()) + b"0\r\n\r\n")
    assert unpacker.decompress(b"".join(parts(file))) == b"" and unpacker.eof
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read_head(file)[0] == 200, "the connection goes on"


def test_compressed_lines_have_a_ratio_but_no_limit(start):
    server = start("--max-body-bytes", "300000", "--max-inflate-ratio", "50")
    connection, file = begin(server, b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n")
    count, packer = 20_000, zlib.compressobj(wbits=31)
    assert len(line(0)) * count > 2 * 300_000

    def send():
        for first in range(0, count, 500):
            packed = packer.compress(b"".join(map(line, range(first, first + 500)))) + packer.flush(zlib.Z_SYNC_FLUSH)
            connection.sendall(chunk(packed))
        connection.sendall(chunk(packer.flush()) + b"0\r\n\r\n")

    sender = threading.Thread(target=send)
    sender.start()
    assert read_head(file)[0] == 200
    assert b"".join(parts(file)).count(b"\n") == count
    sender.join()
    before = resident(server)
    connection, file = begin(server, b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n")
    connection.sendall(chunk(zlib.compress(b" " * (100 << 20), 9, wbits=31)) + b"0\r\n\r\n")
    assert not drain(connection).endswith(b"0\r\n\r\n"), "a bomb was read to its end"
    assert resident(server) - before < 64 << 20


def test_a_stream_that_is_not_in_its_coding_is_400(server):
    connection, file = begin(server, b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n")
    connection.sendall(chunk(line(0)))
    assert drain(connection).startswith(b"HTTP/1.1 400 ")


def test_many_lines_come_back_in_order_and_are_not_held(start):
    server = start()
    count, bound = 60_000, 48 << 20
    connection, file = begin(server)

    def send():
        for first in range(0, count, 500):
            connection.sendall(chunk(b"".join(map(line, range(first, first + 500)))))
        connection.sendall(b"0\r\n\r\n")

    sender = threading.Thread(target=send)
    sender.start()
    assert read_head(file)[0] == 200
    received, rest, sizes = 0, b"", []
    for part in parts(file):
        *whole, rest = (rest + part).split(b"\n")
        for each in whole:
            assert each.startswith(b'{"id":%d,"predictions":' % received), each[:200]
            received += 1
        if received * 4 // count > len(sizes):
            sizes.append(resident(server))
    sender.join()
    assert received == count
    assert sizes[-1] - sizes[0] < bound, sizes


def test_a_client_that_does_not_read_is_held_up(start):
    server = start("--max-body-bytes", str(1 << 20))
    connection, file = begin(server)
    before = resident(server)
    data = chunk(b"".join(map(line, range(500))))
    connection.settimeout(2)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 1 << 30:
            sent += connection.send(data)
    assert resident(server) - before < 64 << 20
    connection.close()
    assert server.get("/livez").status == 200


def test_a_client_that_reads_only_when_all_is_sent_is_answered(server):
    count = 40_000
    body = b"".join(map(line, range(count)))
    connection, file = begin(server, b"Content-Length: %d\r\n" % len(body))
    connection.sendall(body)
    assert read_head(file)[0] == 200
    assert b"".join(parts(file)).count(b"\n") == count


def test_a_body_over_the_limit_is_streamed_and_one_that_is_not_lines_is_refused(start):
    server = start("--max-body-bytes", "100000")
    body = b"".join(map(line, range(5000)))
    assert len(body) > 100_000
    answer = server.post("/v1/models/peptide-bytenet:predict", body.decode(), "application/x-ndjson")
    assert answer.status == 200
    assert [each["id"] for each in answer.lines()] == list(range(5000))
    refused = server.post("/v1/models/peptide-bytenet:predict", " " * 100_001, "application/json")
    assert refused.status == 413


def test_an_error_before_the_body_has_come_is_told_and_the_connection_closed(server):
    connection = server.socket()
    connection.sendall(HEAD.replace(b"peptide-bytenet", b"nothing") + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(line(0)))
    assert drain(connection).startswith(b"HTTP/1.1 404 ")


def test_wrong_lines_in_a_stream_are_told_in_their_places(server):
    connection, file = begin(server)
    lines = [line(0), b'{"id":1,"sequence":"G!"}\n', b"{\n", line(3)]
    connection.sendall(chunk(b"".join(lines)) + b"0\r\n\r\n")
    assert read_head(file)[0] == 200
    answers = [json.loads(each) for each in b"".join(parts(file)).splitlines()]
    assert [each.get("status") for each in answers] == [None, 422, 400, None]
    assert [each.get("line") for each in answers] == [None, 2, 3, None]


def test_what_a_client_that_has_gone_asked_for_is_not_run(start):
    server = start("--threads", "1", "--max-inline-microseconds", "0")
    body = json.dumps({"instances": ["ACDEFGHIKLMNPQRSTVWY" * 50] * 9000}).encode()
    connection = server.socket()
    connection.sendall(
        b"POST /v1/models/peptide-bytenet:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body)
    wait(server, "seqnorm_queue_depth", lambda value: value == 1)
    connection.close()
    wait(server, "seqnorm_queue_depth", lambda value: value == 0)
    ran = metric(server, "seqnorm_inference_sequences_total")
    assert ran < 9000, "what was left of it was run all the same"


def metric(server, name):
    text = server.get("/metrics").body.decode()
    return sum(float(each.split()[-1]) for each in text.splitlines() if each.startswith((name + " ", name + "{")))


def wait(server, name, condition):
    end = time.monotonic() + PATIENCE
    while not condition(value := metric(server, name)):
        assert time.monotonic() < end, (name, value)

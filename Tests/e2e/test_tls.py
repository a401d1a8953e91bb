"""TLS: versions, certificates of clients, and new certificates while connections are open."""

import shutil
import signal
import ssl
import subprocess
import time

import pytest

import reference
from seqnorm import BINARY, MODELS, PATIENCE, ROOT, trusting

FIXTURES = ROOT / "Tests/Fixtures/tls"
VOWEL = reference.sequences("vowels-cnn")[0]


@pytest.fixture
def files(tmp_path):
    put(tmp_path, "first")
    return tmp_path


def put(folder, name):
    for kind in ("pem", "key"):
        shutil.copy(FIXTURES / f"{name}.{kind}", folder / f"new.{kind}")
        (folder / f"new.{kind}").rename(folder / f"server.{kind}")


def begin(start, files, *arguments, **options):
    return start("--tls-certificate", files / "server.pem", "--tls-key", files / "server.key", *arguments,
                 **{"tls": trusting(FIXTURES / "first.pem")} | options)


def shown(server):
    """The certificate the server shows a new client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(server.socket()) as connection:
        return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


def pem(name):
    return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert((FIXTURES / f"{name}.pem").read_text()))


def until(condition, message):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, message
        time.sleep(0.02)


def test_answers_are_the_same_over_tls(start, server, files):
    over = begin(start, files)
    assert over.digits("vowels-cnn", [VOWEL]) == server.digits("vowels-cnn", [VOWEL])
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--cacert", FIXTURES / "first.pem",
         f"https://127.0.0.1:{over.port}/readyz"], capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done
    health = subprocess.run(
        [BINARY, "health", f"https://127.0.0.1:{over.port}"], capture_output=True, timeout=PATIENCE)
    assert health.returncode == 0, health


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(start, files, version):
    tls = trusting(FIXTURES / "first.pem", minimum_version=version, maximum_version=version)
    assert begin(start, files, tls=tls).get("/livez").status == 200


def test_what_is_too_old_or_no_tls_is_refused_and_hurts_nobody(start, files):
    server = begin(start, files)
    old = trusting(FIXTURES / "first.pem")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(server.socket(), server_hostname="127.0.0.1")
    assert not server.raw(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP")
    assert server.get("/livez").status == 200


def test_a_client_without_a_certificate_is_refused(start, files):
    server = begin(
        start, files, "--tls-client-ca", FIXTURES / "second.pem",
        tls=trusting(FIXTURES / "first.pem", (FIXTURES / "second.pem", FIXTURES / "second.key")))
    assert server.get("/livez").status == 200
    for client in [None, (FIXTURES / "first.pem", FIXTURES / "first.key")]:
        server.tls = trusting(FIXTURES / "first.pem", client)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            server.get("/livez")


@pytest.mark.parametrize("signals", [True, False])
def test_a_new_certificate_is_taken_up_and_no_connection_dropped(start, files, signals):
    server = begin(start, files)
    kept = server.connect()
    expected = server.digits("vowels-cnn", [VOWEL], connection=kept)
    assert shown(server) == pem("first")
    put(files, "second")
    if signals:
        server.signal(signal.SIGHUP)
    until(lambda: shown(server) == pem("second"), "the old certificate is still shown")
    assert server.digits("vowels-cnn", [VOWEL], connection=kept) == expected, "a connection from before"
    kept.close()


def test_a_broken_certificate_keeps_the_old_one(start, files):
    server = begin(start, files)
    kept = server.connect()
    assert server.request("GET", "/livez", connection=kept).status == 200
    (files / "server.pem").write_text("broken")
    server.signal(signal.SIGHUP)
    text = server.wait_for("the certificate stays as it was")
    assert f"{files}/server.pem: no certificate in PEM" in text and " error " in text
    assert shown(server) == pem("first")
    assert server.request("GET", "/livez", connection=kept).status == 200
    put(files, "second")
    server.signal(signal.SIGHUP)
    until(lambda: shown(server) == pem("second"), "the new certificate was not taken up")


def test_files_that_cannot_be_used_end_the_start(files):
    (files / "server.key").write_text("broken")
    done = subprocess.run(
        [BINARY, "serve", "--port", "0", "--tls-certificate", files / "server.pem", "--tls-key", files / "server.key",
         MODELS], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "not a private key in PEM without a passphrase" in done.stderr, done

"""What schemathesis cannot know of text bodies: how an example becomes bytes, and an answer values."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/x-fasta")
def text(ctx, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx, response):
    return response.content.decode()


def seconds(text):
    try:
        return float(text)
    except ValueError:
        return 0


@schemathesis.hook
def filter_case(ctx, case):
    """A text body is a string by nature: a number or an object in its place cannot be sent.

    A header field that nobody knows breaks no rule: HTTP has servers ignore it (RFC 9110, 5.1). And who gives the server no
    time gets 504, which is no fault of the server's; tests of its own hold that.
    """
    fields = {name.lower(): value for name, value in (case.headers or {}).items()}
    if "x-schemathesis-unknown-property" in fields or 0 < seconds(fields.get("x-request-timeout", "9")) < 1:
        return False
    return case.media_type not in ("application/x-ndjson", "text/x-fasta") or isinstance(case.body, str)

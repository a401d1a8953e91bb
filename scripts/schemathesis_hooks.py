"""What schemathesis cannot know of text bodies: how an example becomes bytes, and an answer values."""

import json

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, ServerError


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
    """A text body is a string by nature: a number or an object in its place cannot be sent."""
    return case.media_type not in ("application/x-ndjson", "text/x-fasta") or isinstance(case.body, str)


@schemathesis.hook
def filter_failure(ctx, failure, case, response):
    """Two answers are right though they look wrong; whatever else is said of the same requests holds.

    A header field that nobody knows breaks no rule: HTTP has servers ignore it (RFC 9110, 5.1). And a request that gives the
    server less than a second may get 504, which is no fault of the server's.
    """
    fields = {name.lower(): value for name, value in (case.headers or {}).items()}
    if isinstance(failure, AcceptedNegativeData):
        return "x-schemathesis-unknown-property" not in fields
    if isinstance(failure, ServerError) and response.status_code == 504:
        return not 0 < seconds(fields.get("x-request-timeout", "9")) < 1
    return True

"""What schemathesis cannot know of text bodies: how an example becomes bytes, and an answer values."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/x-fasta")
def text(ctx, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx, response):
    return response.content.decode()


@schemathesis.hook
def filter_case(ctx, case):
    """A text body is a string by nature: a number or an object in its place cannot be sent."""
    return case.media_type not in ("application/x-ndjson", "text/x-fasta") or isinstance(case.body, str)

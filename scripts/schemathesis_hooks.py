"""What schemathesis cannot know of text bodies: how an example becomes bytes, and an answer values."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/x-fasta")
def text(ctx, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx, response):
    return response.content.decode()

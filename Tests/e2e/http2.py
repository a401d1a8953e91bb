"""A client of HTTP/2 that is told of every frame."""

import h2.config
import h2.connection
import h2.events

import reference

PEPTIDES = ["GLFDIVKKVVGALGSL", "ACDEFGHIKLMNPQRSTVWY"]
PREDICT = "/v1/models/peptide-bytenet:predict"
VOWEL = reference.sequences("vowels-cnn")[0]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Client:
    """One connection that knows what it speaks.

    `opens` widens the windows as data comes, `pieces` sends byte by byte, and without `checks` anything is sent. `ends`
    has the last stream and the error of each GOAWAY.
    """

    def __init__(self, server, opens=True, pieces=False, checks=True):
        self.socket, self.opens, self.pieces = server.socket(), opens, pieces
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=checks,
            normalize_outbound_headers=checks))
        self.h2.initiate_connection()
        self.answers, self.events, self.ends, self.rest = {}, [], [], b""
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        for piece in [bytes([byte]) for byte in data] if self.pieces else [data]:
            self.socket.sendall(piece)

    def begin(self, method, path, headers=(), ends=True):
        stream = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "test"), *headers]
        self.h2.send_headers(stream, fields, end_stream=ends)
        self.answers[stream] = {"headers": None, "body": b"", "ended": False, "reset": None}
        self.flush()
        return stream

    def post(self, path, body, kind="application/json", ends=True):
        stream = self.begin("POST", path, [("content-type", kind), ("content-length", str(len(body)))], ends=False)
        self.send(stream, body, ends)
        return stream

    def send(self, stream, body, ends=False):
        """Sends as the windows allow."""
        while True:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if room or not body:
                self.h2.send_data(stream, body[:room], end_stream=ends and room == len(body))
                self.flush()
                body = body[room:]
                if not body:
                    return
            else:
                assert self.receive(), "the server closed"

    def receive(self):
        """Takes what comes; false at the end of the connection."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            return False
        for event in self.h2.receive_data(self.without_ends(data)):
            self.events.append(event)
            answer = self.answers.get(getattr(event, "stream_id", None))
            match event:
                case h2.events.ResponseReceived():
                    answer["headers"] = dict(event.headers)
                case h2.events.DataReceived():
                    answer["body"] += event.data
                    if self.opens and event.flow_controlled_length:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded():
                    answer["ended"] = True
                case h2.events.StreamReset() if answer:
                    answer["reset"] = event.error_code
        try:
            self.flush()
        except OSError:
            pass
        return True

    def without_ends(self, data):
        """The frames that have come whole, but GOAWAY, behind which h2 neither sends nor takes anything."""
        self.rest += data
        others = b""
        while len(self.rest) >= 9 and len(self.rest) >= (size := 9 + int.from_bytes(self.rest[:3], "big")):
            one, self.rest = self.rest[:size], self.rest[size:]
            if one[3] == 7:
                self.ends.append((int.from_bytes(one[9:13], "big"), int.from_bytes(one[13:17], "big")))
            else:
                others += one
        return others

    def until(self, condition):
        while not condition():
            assert self.receive(), f"the server closed: {self.events[-3:]}"

    def answer(self, stream):
        self.until(lambda: self.answers[stream]["ended"] or self.answers[stream]["reset"] is not None)
        found = self.answers[stream]
        return int(found["headers"][":status"]) if found["headers"] else None, found["body"]

    def to_the_end(self):
        while self.receive():
            pass

    def has(self, kind):
        return any(isinstance(event, kind) for event in self.events)

    def close(self):
        self.socket.close()


def frame(kind, flags, stream, payload=b""):
    """Any frame, right or wrong."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS = frame(4, 0, 0)

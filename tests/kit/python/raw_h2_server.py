#!/usr/bin/python3
"""A gRPC server by hand, on python3-h2, that misbehaves as the called method says.

Prints one line of JSON, {"h2": PORT, ...}: one port for each way to greet. Serves until its standard input
ends. Methods are "/raw/<name>" for each function `on_<name>` of Connection; "/raw/stats" tells what was seen.
"""

import collections
import json
import socket
import struct
import sys
import threading
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
from hyperframe.frame import ContinuationFrame, GoAwayFrame, HeadersFrame

HEAD = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0"), ("grpc-message", "")]


def framed(message: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(message)) + message


class Stats:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen = collections.Counter()

    def count(self, what: str):
        with self.lock:
            self.seen[what] += 1


class Connection:
    """One accepted connection, served by its own thread."""

    def __init__(self, sock: socket.socket, stats: Stats, settings: dict):
        self.sock = sock
        self.stats = stats
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values={
            h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100, **settings})
        self.methods = {}
        self.bodies = collections.defaultdict(bytes)
        self.outgoing = {}
        self.byte_by_byte = False
        self.open = True

    def serve(self):
        self.stats.count("connections")
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h2.initiate_connection()
        self.flush()
        try:
            while self.open:
                data = self.sock.recv(65536)
                if not data:
                    break
                for event in self.h2.receive_data(data):
                    try:
                        self.handle(event)
                    except h2.exceptions.StreamClosedError:
                        pass  # the client's reset came in the same read
                    if not self.open:
                        break
                if self.open:
                    self.pump()
                    self.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        self.sock.close()

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.methods[event.stream_id] = dict(event.headers)[":path"].rsplit("/", 1)[1]
            early = getattr(self, "early_" + self.methods[event.stream_id], None)
            if early:
                early(event.stream_id)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.bodies[event.stream_id] += event.data
            if self.methods[event.stream_id] == "echo":
                self.on_echo_data(event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            getattr(self, "on_" + self.methods[event.stream_id])(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.outgoing.pop(event.stream_id, None)
            self.stats.count("reset %s" % h2.errors.ErrorCodes(event.error_code).name)
        elif isinstance(event, h2.events.PingReceived):
            self.stats.count("pings")

    def flush(self):
        data = self.h2.data_to_send()
        if not data:
            return
        if not self.byte_by_byte:
            self.sock.sendall(data)
            return
        for at in range(len(data)):
            self.sock.sendall(data[at:at + 1])
            time.sleep(0.0002)

    def raw(self, data: bytes):
        self.flush()
        self.sock.sendall(data)

    def hang_up(self, reset: bool = False):
        self.flush()
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.open = False

    def pump(self):
        """Sends what flow control lets through of the streams that have more."""
        for stream, rest in list(self.outgoing.items()):
            while rest[0]:
                size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(rest[0]))
                if size <= 0:
                    break
                self.h2.send_data(stream, rest[0][:size])
                self.stats.seen["flooded"] += size
                rest[0] = rest[0][size:]
            if not rest[0]:
                del self.outgoing[stream]
                self.h2.send_headers(stream, OK, end_stream=True)

    def message(self, stream: int) -> bytes:
        return self.bodies[stream][5:]

    def answer(self, stream: int, message: bytes, trailers=None, flag: int = 0, head=None):
        self.h2.send_headers(stream, head or HEAD)
        self.h2.send_data(stream, framed(message, flag))
        self.h2.send_headers(stream, trailers or OK, end_stream=True)

    # --- Answers as they should be.

    def on_ok(self, stream):
        self.answer(stream, self.message(stream))

    def on_stats(self, stream):
        self.answer(stream, json.dumps(self.stats.seen).encode())

    def on_byte_by_byte(self, stream):
        self.flush()
        self.byte_by_byte = True
        self.answer(stream, self.message(stream))
        self.flush()
        self.byte_by_byte = False

    def on_tiny_frames(self, stream):
        self.h2.send_headers(stream, HEAD)
        for byte in framed(self.message(stream)):
            self.h2.send_data(stream, bytes([byte]))
        self.h2.send_headers(stream, OK, end_stream=True)

    def on_padded(self, stream):
        self.h2.send_headers(stream, HEAD)
        for byte in framed(self.message(stream)):
            self.h2.send_data(stream, bytes([byte]), pad_length=200)
        self.h2.send_headers(stream, OK, end_stream=True)

    def on_ping_storm(self, stream):
        for number in range(200):
            self.h2.ping(struct.pack(">Q", number))
        self.on_ok(stream)

    def on_settings_change(self, stream):
        self.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0,
                                 h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 100})
        self.on_ok(stream)

    def on_echo_data(self, stream):
        if stream not in self.outgoing:
            self.outgoing[stream] = None
            self.h2.send_headers(stream, HEAD)
        body = self.bodies[stream]
        while len(body) >= 5 and len(body) >= 5 + struct.unpack(">I", body[1:5])[0]:
            size = 5 + struct.unpack(">I", body[1:5])[0]
            self.h2.send_data(stream, body[:size])
            body = body[size:]
        self.bodies[stream] = body

    def on_echo(self, stream):
        if self.outgoing.pop(stream, 0) == 0:
            self.h2.send_headers(stream, HEAD)
        self.h2.send_headers(stream, OK, end_stream=True)

    def on_flood(self, stream):
        """As many messages of 64 KiB as the request says, as flow control lets them through."""
        self.h2.send_headers(stream, HEAD)
        self.outgoing[stream] = [framed(b"f" * 65536) * int(self.message(stream))]

    # --- Answers that say no.

    def on_trailers_only(self, stream):
        self.h2.send_headers(stream, HEAD + [("grpc-status", "7"), ("grpc-message", "etcdserver: permission denied")],
                             end_stream=True)

    def on_percent(self, stream):
        self.h2.send_headers(stream, HEAD + [("grpc-status", "9"), ("grpc-message", "%E4%BD%A0 100%25%0A%ff")],
                             end_stream=True)

    def on_http_503(self, stream):
        self.h2.send_headers(stream, [(":status", "503"), ("content-type", "text/html")])
        self.h2.send_data(stream, b"<h1>503</h1>", end_stream=True)

    def on_http_404(self, stream):
        self.h2.send_headers(stream, [(":status", "404")], end_stream=True)

    def on_html(self, stream):
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "text/html")])
        self.h2.send_data(stream, b"<h1>Welcome</h1>", end_stream=True)

    # --- Answers that are broken.

    def on_no_status(self, stream):
        self.answer(stream, b"x", trailers=[("other", "1")])

    def on_no_message(self, stream):
        self.h2.send_headers(stream, HEAD)
        self.h2.send_headers(stream, OK, end_stream=True)

    def on_two_messages(self, stream):
        self.h2.send_headers(stream, HEAD)
        self.h2.send_data(stream, framed(b"one") + framed(b"two"))
        self.h2.send_headers(stream, OK, end_stream=True)

    def on_compressed(self, stream):
        self.answer(stream, b"\x1f\x8b....", flag=1, head=HEAD + [("grpc-encoding", "gzip")])

    def on_oversize(self, stream):
        self.h2.send_headers(stream, HEAD)
        self.h2.send_data(stream, b"\0\x7f\xff\xff\xff" + b"x" * 1000)

    def on_garbage_trailers(self, stream):
        self.answer(stream, b"x", trailers=[("grpc-status", "0"), ("bad name\0", "\x01\x02")])

    def on_garbage_status(self, stream):
        self.answer(stream, b"x", trailers=[("grpc-status", "minus one"), ("grpc-message", "%%%")])

    def on_garbage_hpack(self, stream):
        frame = HeadersFrame(stream, data=b"\xff\xff\xff\xff\xff\xff\xff", flags=["END_HEADERS"])
        self.raw(frame.serialize())

    def on_garbage_frames(self, stream):
        self.raw(b"\xde\xad\xbe\xef" * 64)

    def on_huge_header(self, stream):
        self.huge([("x-%d" % number, "y" * 4000) for number in range(30)], stream)

    def on_endless_header(self, stream):
        self.huge([("x-%d" % number, "y" * 4000) for number in range(400)], stream)

    def huge(self, fields, stream):
        block = self.h2.encoder.encode(HEAD + fields, huffman=False)
        first = HeadersFrame(stream, data=block[:16384])
        out = first.serialize()
        pieces = [block[at:at + 16384] for at in range(16384, len(block), 16384)]
        for piece in pieces:
            frame = ContinuationFrame(stream, data=piece)
            if piece is pieces[-1]:
                frame.flags.add("END_HEADERS")
            out += frame.serialize()
        self.raw(out)

    # --- Streams and connections that end too soon, or not at all.

    def on_stall(self, stream):
        self.h2.send_headers(stream, HEAD)

    def on_stall_inside(self, stream):
        self.h2.send_headers(stream, HEAD)
        self.h2.send_data(stream, framed(b"never complete")[:9])

    def on_drip(self, stream):
        self.h2.send_headers(stream, HEAD)
        for byte in framed(b"drip"):
            self.h2.send_data(stream, bytes([byte]))
            self.flush()
            time.sleep(0.02)
        self.h2.send_headers(stream, OK, end_stream=True)

    def reset(self, stream, code):
        self.h2.send_headers(stream, HEAD)
        self.h2.send_data(stream, framed(b"unfinished")[:8])
        self.h2.reset_stream(stream, code)

    def on_reset_refused(self, stream):
        self.reset(stream, h2.errors.ErrorCodes.REFUSED_STREAM)

    def on_reset_internal(self, stream):
        self.reset(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)

    def on_reset_cancel(self, stream):
        self.reset(stream, h2.errors.ErrorCodes.CANCEL)

    def early_reset_early(self, stream):
        """Before the request is complete, and with an answer: the client must stop sending."""
        self.h2.send_headers(stream, HEAD + [("grpc-status", "8"), ("grpc-message", "too big")], end_stream=True)
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)

    def goaway(self, last_stream: int, code, text: bytes):
        self.raw(GoAwayFrame(0, last_stream_id=last_stream, error_code=int(code), additional_data=text).serialize())

    def on_goaway_finish(self, stream):
        """Goes away in the middle of an answer and finishes it."""
        self.h2.send_headers(stream, HEAD)
        self.h2.send_data(stream, framed(self.message(stream))[:7])
        self.goaway(stream, 0, b"maintenance")
        time.sleep(0.05)
        self.h2.send_data(stream, framed(self.message(stream))[7:])
        self.h2.send_headers(stream, OK, end_stream=True)

    def on_goaway_refuse(self, stream):
        self.goaway(stream - 2 if stream > 1 else 0, 0, b"maintenance")

    def on_too_many_pings(self, stream):
        self.goaway(stream, h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, b"too_many_pings")
        self.hang_up()

    def on_close_inside(self, stream):
        self.h2.send_headers(stream, HEAD)
        self.h2.send_data(stream, framed(b"unfinished")[:8])
        self.hang_up()

    def on_reset_connection(self, stream):
        self.hang_up(reset=True)

    def on_kill_me(self, stream):
        """Stops reading and answering, with the connection open: a black hole."""
        while True:
            time.sleep(1)


def greet_silent(sock, _stats):
    while sock.recv(65536):
        pass


def greet_close(sock, _stats):
    sock.recv(65536)


def greet_http1(sock, _stats):
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def greet_tls_alert(sock, _stats):
    sock.recv(65536)
    sock.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


def greet_garbage(sock, _stats):
    sock.sendall(bytes(range(256)) * 4)
    sock.recv(65536)


def greet_h2(sock, stats):
    Connection(sock, stats, {}).serve()


def greet_one_stream(sock, stats):
    Connection(sock, stats, {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}).serve()


def greet_small_window(sock, stats):
    Connection(sock, stats, {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 10}).serve()


def greet_settings_then_close(sock, stats):
    connection = Connection(sock, stats, {})
    connection.stats.count("connections")
    connection.h2.initiate_connection()
    connection.flush()
    sock.recv(65536)


def listen(greet, stats) -> int:
    def serve(sock):
        try:
            greet(sock, stats)
        except OSError:
            pass
        sock.close()

    def accept(listener):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    return listener.getsockname()[1]


def main():
    stats = Stats()
    greetings = {name[6:]: value for name, value in globals().items() if name.startswith("greet_")}
    print(json.dumps({name: listen(greet, stats) for name, greet in greetings.items()}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

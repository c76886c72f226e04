#!/usr/bin/python3
"""A server by Google's own gRPC (python3-grpcio): what a correct but trying peer sends.

Prints one line of JSON, {"grpc": PORT}. Serves until its standard input ends.
"""

import concurrent.futures
import json
import sys
import time

import grpc


def echo(request, _context):
    return request


def compressed(_request, context):
    context.set_compression(grpc.Compression.Gzip)
    return b"c" * 100_000


def large(request, _context):
    return b"l" * int(request)


def slow(request, _context):
    time.sleep(float(request))
    return b"at last"


def failing(_request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "nicht jetzt: 100 % \u2603\nzweite Zeile")


def raising(_request, _context):
    raise RuntimeError("a bug of the server")


def facts(_request, context):
    """What the server saw of the call, as JSON; with metadata of its own before and after."""
    context.send_initial_metadata((("x-early", "1"), ("x-early-bin", b"\0\xff")))
    context.set_trailing_metadata((("x-late", "2"),))
    seen = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
    seen["time-left"] = context.time_remaining()
    return json.dumps(seen).encode()


def count(request, _context):
    for number in range(int(request)):
        yield str(number).encode()


def count_then_fail(request, context):
    yield from count(request, context)
    context.abort(grpc.StatusCode.OUT_OF_RANGE, "no more")


def endless(_request, context):
    while context.is_active():
        yield b"tick"
        time.sleep(0.01)


def echo_all(requests, _context):
    yield from requests


class Handler(grpc.GenericRpcHandler):
    UNARY = {f.__name__: f for f in (echo, compressed, large, slow, failing, raising, facts)}
    STREAM = {f.__name__: f for f in (count, count_then_fail, endless)}

    def service(self, details):
        name = details.method.rsplit("/", 1)[1]
        if name in self.UNARY:
            return grpc.unary_unary_rpc_method_handler(self.UNARY[name])
        if name in self.STREAM:
            return grpc.unary_stream_rpc_method_handler(self.STREAM[name])
        if name == "echo_all":
            return grpc.stream_stream_rpc_method_handler(echo_all)
        return None


def main():
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=32)
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(pool, options=unlimited)
    server.add_generic_rpc_handlers((Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"grpc": port}), flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main()

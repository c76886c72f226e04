#!/usr/bin/python3
"""Mail servers by aiosmtpd: what mail servers want, offer and refuse.

smtp_server.py CERTIFICATE KEY PASSWORD

Prints one line of JSON with the ports: "starttls" (login required, after STARTTLS), "open" (STARTTLS, no login), "implicit"
(TLS from the start, login required), "bare" (no TLS at all), "silent" (accepts, and says nothing). Then a line for each mail
that it took: {"server", "from", "to", "user", "tls", "data"}. Refuses for good what goes to nobody@…, for now what goes to
later@…, and the data of what comes from spam@…. Serves until its standard input ends.
"""

import asyncio
import json
import socket
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, name):
        self.name = name

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address.startswith("nobody@"):
            return "550 no such user"
        if address.startswith("later@"):
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        if envelope.mail_from.startswith("spam@"):
            return "554 we do not like it"
        login = session.auth_data.decode() if session.auth_data else ""
        print(json.dumps({"server": self.name, "from": envelope.mail_from, "to": envelope.rcpt_tos, "user": login,
                          "tls": session.ssl is not None, "data": envelope.content.decode()}), flush=True)
        return "250 taken"


def authenticator(password):
    def check(_server, _session, _envelope, _mechanism, data):
        good = data.login == b"monitor" and data.password == password.encode()
        return AuthResult(success=good, handled=good, auth_data=data.login)
    return check


async def main():
    certificate, key, password = sys.argv[1:4]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    login = {"authenticator": authenticator(password), "auth_required": True}
    kinds = {
        "starttls": (None, {"tls_context": context, "require_starttls": True, "auth_require_tls": True, **login}),
        "open": (None, {"tls_context": context}),
        "implicit": (context, {"auth_require_tls": False, **login}),
        "bare": (None, {}),
    }
    ports = {}
    for name, (tls, options) in kinds.items():
        server = await loop.create_server(lambda name=name, options=options: SMTP(Handler(name), loop=loop, **options),
                                          "127.0.0.1", 0, ssl=tls)
        ports[name] = server.sockets[0].getsockname()[1]
    silent = socket.create_server(("127.0.0.1", 0))
    ports["silent"] = silent.getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())

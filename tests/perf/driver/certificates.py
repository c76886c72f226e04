"""A throw-away authority, by the openssl program."""

from pathlib import Path
from typing import Dict

from .machine import run, tool


def _openssl(*arguments: str) -> None:
    done = run([tool("openssl"), *arguments])
    if done.code != 0:
        raise OSError(f"openssl {arguments[0]}: {done.err}")


def make(folder: Path) -> Dict[str, str]:
    """Files of an authority, a server (sim.test, localhost, 127.0.0.1) and a client, with EC P-256 keys."""
    folder = Path(folder)
    files = {"ca": str(folder / "ca.pem")}
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl("req", "-x509", *new_key, "-days", "365", "-subj", "/CN=perf authority", "-keyout", str(folder / "ca.key"),
             "-out", files["ca"])
    for who, extension in (("server", "subjectAltName=DNS:sim.test,DNS:localhost,IP:127.0.0.1"), ("client", "")):
        key, request, cert = (str(folder / f"{who}.{kind}") for kind in ("key", "csr", "pem"))
        _openssl("req", "-new", *new_key, "-subj", f"/CN={who}", "-keyout", key, "-out", request)
        extra = folder / f"{who}.ext"
        extra.write_text(extension + "\nextendedKeyUsage=serverAuth,clientAuth\n")
        _openssl("x509", "-req", "-in", request, "-CA", files["ca"], "-CAkey", str(folder / "ca.key"), "-CAcreateserial",
                 "-days", "365", "-extfile", str(extra), "-out", cert)
        files[f"{who}_cert"], files[f"{who}_key"] = cert, key
    return files

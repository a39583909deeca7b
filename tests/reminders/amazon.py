"""Amazon SNS on loopback: a certificate authority, a TLS server, a key that signs, and its API.

The service asks for https://sns.us-west-2.amazonaws.com as always; an adapter of `requests` leads
that host here, and checks the server's certificate against the test's own authority.
"""

import base64
import ssl
import threading
from datetime import UTC, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter

HOST = "sns.us-west-2.amazonaws.com"
TOPIC = "arn:aws:sns:us-west-2:123456789012:MyTopic"
BEGINS, ENDS = datetime(2015, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
CONFIRMED = (
    '<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
    "<ConfirmSubscriptionResult><SubscriptionArn>{}:1</SubscriptionArn>"
    "</ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
)


@lru_cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Made once in a run: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    name: str, of: rsa.RSAPrivateKey, *, by: str = "authority", ends: datetime = ENDS
) -> x509.Certificate:
    """`name` with this key, issued by the authority `by`."""
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(by))
        .public_key(of.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=name == by, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(of.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key(by).public_key()),
            critical=False,
        )
    )
    return made.sign(key(by), hashes.SHA256())


def pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


class ToLoopback(HTTPAdapter):
    """Leads Amazon's host to a port of ours, over TLS and with the host's name checked."""

    def __init__(self, port: int, authority: Path) -> None:
        self.port, self.authority = port, str(authority)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, server_hostname=HOST, assert_hostname=HOST)

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = request.url.replace(f"https://{HOST}", f"https://127.0.0.1:{self.port}")
        return super().send(request, *args, **{**kwargs, "verify": self.authority})


class Amazon:
    """`files` is what the certificate server has, by path; `asked` which paths it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.confirmed: list[dict[str, list[str]]] = []
        self.authority = folder / "authority.pem"
        self.authority.write_bytes(pem(certificate("authority", key("authority"))))
        self.url = self.publish(pem(certificate("sns.amazonaws.com", key("signer"))))
        self._certificates = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._api = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._chain(folder))
        socket = self._certificates.socket
        self._certificates.socket = context.wrap_socket(socket, server_side=True)

    def start(self) -> None:
        for server in (self._certificates, self._api):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        for server in (self._certificates, self._api):
            server.shutdown()
            server.server_close()

    def adapter(self, authority: Path | None = None) -> ToLoopback:
        return ToLoopback(self._certificates.server_port, authority or self.authority)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._api.server_port}"

    def publish(self, content: bytes, status: int = 200) -> str:
        """Put something where certificates are; its address."""
        path = f"/SimpleNotificationService-{len(self.files):032x}.pem"
        self.files[path] = status, content
        return f"https://{HOST}{path}"

    def signed(
        self, message: dict[str, Any], version: str = "2", signer: str = "signer"
    ) -> dict[str, Any]:
        message = {"SigningCertURL": self.url, **message, "SignatureVersion": version}
        fields = [name for name in SIGNED[message["Type"]] if name in message]
        text = "".join(f"{name}\n{message[name]}\n" for name in fields).encode()
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = key(signer).sign(text, padding.PKCS1v15(), algorithm)
        return {**message, "Signature": base64.b64encode(signature).decode()}

    def _chain(self, folder: Path) -> Path:
        """The server's key and certificate."""
        private = key("server").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        path = folder / "server.pem"
        path.write_bytes(private + pem(certificate(HOST, key("server"))))
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _handler(amazon: Amazon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            amazon.asked.append(self.path)
            status, content = amazon.files.get(self.path, (404, b""))
            self._answer(status, content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            amazon.confirmed.append(parse_qs(body))
            self._answer(200, CONFIRMED.format(TOPIC).encode())

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    return Handler

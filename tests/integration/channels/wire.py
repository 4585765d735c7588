"""A server of the web that answers byte by byte as it is told."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds after which a hang is taken for granted.
GUARD = 60.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire:
    """The server; it is a proxy as well, as far as a request tells.

    Attributes:
        requests: What came, one text each: line, headers and body.
        answer: What is answered.
        then: What is done with the connection behind that: nothing, `hang`, or `reset`.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer = OK
        self.then: Callable[[socket.socket], None] = lambda connection: None
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/T0/B0/very-secret-part"

    def hang(self, connection: socket.socket) -> None:
        self.over.wait(GUARD)

    def reset(self, connection: socket.socket) -> None:
        # Whoever reads what came before is told at once that there is no more.
        self.over.wait(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(GUARD)
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(body) < size:
            body += connection.recv(65536)
        self.requests.append((head + b"\r\n\r\n" + body).decode())
        connection.sendall(self.answer)
        self.then(connection)

"""A client of Marionette, the remote control of Mozilla's programs: JSON over a socket, each message behind its length.

https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import socket

from desktop import SECONDS, until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's reference (W3C WebDriver §12)


class Refused(Exception):
    """An answer that is an error."""


class Marionette:
    """A session with the program's own windows, not with the pages in them."""

    def __init__(self, port=2828):
        self.socket = until(lambda: _connect(port), "the program answers")
        self.socket.settimeout(SECONDS * 2)
        self.buffer = b""
        self.number = 0
        self._read()
        self.send("WebDriver:NewSession", capabilities={"alwaysMatch": {"timeouts": {"script": SECONDS * 1000}}})
        self.send("Marionette:SetContext", value="chrome")

    def send(self, command, **parameters):
        """Sends a command and returns its result."""
        self.number += 1
        message = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._read()
        assert number == self.number, f"answer {number} to command {self.number}"
        if error:
            raise Refused(f"{command}: {error['error']}: {error['message']}")
        return result

    def run(self, script, *arguments):
        """Runs JavaScript in the current window and returns what it returns."""
        return self.send("WebDriver:ExecuteScript", script=script, args=list(arguments), newSandbox=False)["value"]

    def windows(self):
        """The top-level windows, as a list of (handle, title, address)."""
        found = []
        for handle in self.send("WebDriver:GetWindowHandles"):
            self.send("WebDriver:SwitchToWindow", handle=handle, focus=False)
            found.append((handle, *self.run("return [document.title, window.location.href]")))
        return found

    def click(self, element):
        """Clicks an element."""
        self.send("WebDriver:ElementClick", id=element[ELEMENT])

    def type(self, element, text):
        """Types into an element."""
        self.send("WebDriver:ElementSendKeys", id=element[ELEMENT], text=text)

    def clear(self, element):
        """Empties a field."""
        self.send("WebDriver:ElementClear", id=element[ELEMENT])

    def _read(self):
        while b":" not in self.buffer:
            self._receive()
        length, self.buffer = self.buffer.split(b":", 1)
        while len(self.buffer) < int(length):
            self._receive()
        message, self.buffer = self.buffer[: int(length)], self.buffer[int(length) :]
        return json.loads(message)

    def _receive(self):
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("the program has closed the connection")
        self.buffer += received


def _connect(port):
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    except ConnectionRefusedError:
        return None

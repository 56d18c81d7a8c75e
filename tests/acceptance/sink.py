"""A mail server that keeps each message as a file: where the demo's outgoing mail goes.

Usage: sink.py FOLDER PORTFILE. Small on purpose; without TLS, which the flows in tests/ show.
"""
import os
import socketserver
import sys
import tempfile


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink.example.net ESMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-sink.example.net")
                self.say("250 8BITMIME")
            elif verb == b"DATA":
                self.say("354 go ahead")
                self.keep()
                self.say("250 kept")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def keep(self):
        message = b""
        for line in self.rfile:
            if line == b".\r\n":
                break
            message += line[1:] if line.startswith(b".") else line
        handle, name = tempfile.mkstemp(dir=self.server.folder, prefix=".")
        with os.fdopen(handle, "wb") as file:
            file.write(message)
        os.rename(name, os.path.join(self.server.folder, os.path.basename(name)[1:] + ".eml"))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Session)
server.folder = sys.argv[1]
with open(sys.argv[2], "w") as file:
    file.write(str(server.server_address[1]))
server.serve_forever()

"""Holds an IMAP session in IDLE and writes down what it hears, until it is stopped; then ends the session in order.

Usage: idle.py HOSTNAME CAFILE USER PASSWORD LOG. Exit status 0 only if the session lived to its end.
"""
import signal
import socket
import ssl
import sys

hostname, ca_file, user, password, log = sys.argv[1:]


class Enough(Exception):
    pass


def enough(*_):
    raise Enough


signal.signal(signal.SIGTERM, enough)
context = ssl.create_default_context(cafile=ca_file)
session = context.wrap_socket(socket.create_connection((hostname, 993), 30), server_hostname=hostname)
session.settimeout(600)
lines = session.makefile("rb")


def hear():
    line = lines.readline()
    assert line, "the server has closed the session"
    with open(log, "ab") as file:
        file.write(line)
    return line


def command(tag, text, until=None):
    session.sendall(f"{tag} {text}\r\n".encode())
    while not (line := hear()).startswith((until or tag).encode()):
        pass
    assert until or line.startswith(f"{tag} OK".encode()), line


hear()
command("a", f'LOGIN {user} "{password}"')
command("b", "SELECT INBOX")
command("c", "IDLE", until="+")
try:
    while True:
        hear()
except Enough:
    pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
# The interrupted reader cannot be read again; the octets in transit are still to come.
lines = session.makefile("rb")
session.sendall(b"DONE\r\n")
while not hear().startswith(b"c OK"):
    pass
command("d", "NOOP")
command("e", "LOGOUT")

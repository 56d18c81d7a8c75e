"""Reads mail with Python's imaplib. Usage: imap_check.py HOST PORT HOSTNAME CAFILE USER PASSWORD SUBJECT"""
import imaplib
import socket
import ssl
import sys

host, port, hostname, ca_file, user, password, subject = sys.argv[1:]
context = ssl.create_default_context(cafile=ca_file)


class Client(imaplib.IMAP4_SSL):
    """Connects to the demo's address, and checks the certificate for the host's name."""

    def _create_socket(self, timeout):
        return context.wrap_socket(socket.create_connection((host, int(port)), 30), server_hostname=hostname)


client = Client(hostname, int(port), ssl_context=context)
assert "IMAP4REV1" in client.capabilities, client.capabilities
client.login(user, password)
status, _ = client.select("INBOX")
assert status == "OK"
status, (found,) = client.search(None, "SUBJECT", f'"{subject}"')
assert status == "OK" and len(found.split()) == 1, found
number = found.split()[0]
status, parts = client.fetch(number, "(FLAGS BODY.PEEK[])")
assert status == "OK" and subject.encode() in parts[0][1], parts

# The usual commands of a client: flag, copy, move to a folder, delete.
assert client.store(number, "+FLAGS", r"(\Flagged)")[0] == "OK"
assert client.create("Acceptance")[0] == "OK"
assert client.copy(number, "Acceptance")[0] == "OK"
assert client.uid("MOVE", client.fetch(number, "(UID)")[1][0].split()[2].rstrip(b")").decode(), "Trash")[0] == "OK"
status, counts = client.status("Acceptance", "(MESSAGES UNSEEN)")
assert b"MESSAGES 1" in counts[0], counts
client.select("Acceptance")
status, parts = client.fetch("1", "(FLAGS BODYSTRUCTURE ENVELOPE)")
assert rb"\Flagged" in parts[0] and b'"text" "plain"' in parts[0].lower(), parts
client.store("1", "+FLAGS", r"(\Deleted)")
assert client.expunge() == ("OK", [b"1"])
client.close()
assert client.delete("Acceptance")[0] == "OK"
assert client.append("Drafts", r"(\Draft)", None, b"Subject: a draft\r\n\r\nunfinished\r\n")[0] == "OK"
client.logout()

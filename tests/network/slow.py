"""Sends one large message over an encrypted session, evenly over a number of seconds.

Usage: slow.py HOST FROM TO SUBJECT OCTETS SECONDS. Prints the body's SHA-256 and what the server answers. Exit status 0
only if the message was accepted.
"""
import hashlib
import smtplib
import ssl
import sys
import time

host, sender, recipient, subject, octets, seconds = sys.argv[1:]
line = b"0123456789" * 7 + b"\r\n"
head = f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n".encode()
count = (int(octets) - len(head)) // len(line)

client = smtplib.SMTP(host, 25, "client.example.com", 60)
client.ehlo()
# Whose certificate it is does not matter to hosts that send mail.
client.starttls(context=ssl._create_unverified_context())
client.ehlo()
for text in (f"MAIL FROM:<{sender}> SIZE={octets}", f"RCPT TO:<{recipient}>"):
    code, answer = client.docmd(text)
    assert code == 250, answer
code, answer = client.docmd("DATA")
assert code == 354, answer
client.sock.sendall(head)
begin = time.monotonic()
pieces = 200
for piece in range(pieces):
    client.sock.sendall(line * (count * (piece + 1) // pieces - count * piece // pieces))
    time.sleep(max(0.0, begin + float(seconds) * (piece + 1) / pieces - time.monotonic()))
client.sock.sendall(b".\r\n")
code, answer = client.getreply()
assert code == 250, answer
client.quit()
print(hashlib.sha256(line * count).hexdigest())
print(answer.decode())

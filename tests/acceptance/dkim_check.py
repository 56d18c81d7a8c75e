"""Checks a message's DKIM signatures with dkimpy, against the keys in a zone file as `mailstead dns` prints it.

Usage: dkim_check.py MESSAGE ZONE. Every signature must hold, and there must be one by an RSA key.
"""
import re
import sys

import dkim


def records(zone):
    """TXT records by name: quoted strings, joined."""
    found = {}
    for line in zone.splitlines():
        match = re.match(r'(\S+)\s+(?:\d+\s+)?(?:IN\s+)?TXT\s+(".*")', line)
        if match:
            strings = re.findall(r'"((?:[^"\\]|\\.)*)"', match[2])
            found[match[1].rstrip(".").lower()] = "".join(strings)
    return found


message = open(sys.argv[1], "rb").read()
zone = records(open(sys.argv[2]).read())


def lookup(name, timeout=5):
    text = zone.get(name.decode().rstrip(".").lower())
    return text.encode() if text else None


count = len(re.findall(rb"(?im)^dkim-signature:", message))
assert count, "the message has no signature"
kinds = set()
for index in range(count):
    checker = dkim.DKIM(message)
    assert checker.verify(idx=index, dnsfunc=lookup), f"signature {index} does not hold"
    kinds.add(checker.signature_fields[b"a"].decode())
    print("holds:", checker.signature_fields[b"a"].decode(), checker.signature_fields[b"s"].decode())
assert "rsa-sha256" in kinds, kinds

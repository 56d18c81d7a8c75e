#!/usr/bin/env python3
"""Lets dkimpy and OpenDKIM's library verify what we sign, in every corner of make.py and with both kinds of keys.

Usage: check.py PROGRAM, which is the example `sign` of this crate. Needs what make.py needs.
"""
import base64
import ctypes
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dkim
from make import MESSAGES, split

NAMES = ["From", "From", "Subject", "Subject", "To", "To", "Cc", "X-Missing"]


def key_of(kind, folder):
    pem, der = f"{folder}/{kind}.pem", f"{folder}/{kind}.der"
    options = {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ed25519": ["-algorithm", "ED25519"]}
    subprocess.run(["openssl", "genpkey", *options[kind], "-out", pem], check=True, capture_output=True)
    subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER", "-out", der], check=True)
    public = subprocess.run(["openssl", "pkey", "-in", pem, "-pubout", "-outform", "DER"], check=True,
                            capture_output=True).stdout
    # RFC 8463 §4: the key alone, which the last 32 octets are.
    public = public[-32:] if kind == "ed25519" else public
    return der, b"v=DKIM1; k=%s; p=%s" % (kind.encode(), base64.b64encode(public))


def holds_with_dkimpy(message, record):
    return dkim.DKIM(message).verify(dnsfunc=lambda name, timeout=5: record)


def holds_with_opendkim(message, record):
    library = ctypes.CDLL("libopendkim.so.11")
    for name in ("dkim_init", "dkim_verify"):
        getattr(library, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.dkim_init(None, None))
    lookup_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char),
                                   ctypes.c_size_t)

    def lookup(_handle, _signature, buffer, length):
        assert len(record) < length
        ctypes.memmove(buffer, record + b"\0", len(record) + 1)
        return 0

    lookup = lookup_type(lookup)
    library.dkim_set_key_lookup(context, lookup)
    status = ctypes.c_int()
    handle = ctypes.c_void_p(library.dkim_verify(context, b"id", None, ctypes.byref(status)))
    fields, body = split(message)
    for field in fields:
        assert library.dkim_header(handle, field, len(field)) == 0
    # Readable signatures always return status 0 here.
    if library.dkim_eoh(handle) != 0:
        return False
    assert not body or library.dkim_body(handle, body, len(body)) == 0
    tested = ctypes.c_int()
    return library.dkim_eom(handle, ctypes.byref(tested)) == 0


failed = 0
with tempfile.TemporaryDirectory() as folder:
    for kind in ("rsa", "ed25519"):
        key, record = key_of(kind, folder)
        for message in MESSAGES:
            signed = subprocess.run([sys.argv[1], key, *NAMES], input=message, check=True, capture_output=True).stdout
            verifiers = [] if b"Subject :" in message else [holds_with_dkimpy]
            verifiers += [holds_with_opendkim] if kind == "rsa" else []
            for verifier in verifiers:
                good = verifier(signed, record)
                # A verifier that accepts everything would prove nothing.
                bad = verifier(signed.replace(b"From: ", b"From: x", 1).replace(b"FROM: ", b"FROM: x", 1), record)
                if not good or bad:
                    failed += 1
                    print(f"{verifier.__name__}, {kind}: {good}, altered: {bad}: {signed!r}")
print(f"{failed} failed")
sys.exit(failed > 0)

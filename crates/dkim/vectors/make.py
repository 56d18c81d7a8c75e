#!/usr/bin/env python3
"""Makes the vectors beside this file with dkimpy and OpenDKIM's library: messages with odd corners, signed by others.

Usage: make.py >signed.txt. Each line: who signed, c=, the key's record, the message; the last two as JSON strings.
Needs openssl, dkimpy and PyNaCl (python3-dkim, python3-nacl), and libopendkim.so.11 (libopendkim11).
"""
import base64
import ctypes
import json
import subprocess
import tempfile

import dkim
import nacl.signing

FROM = b"From: Ann <ann@example.org>\r\n"
MESSAGES = [
    # Bodies
    FROM + b"\r\ntext\r\n",
    FROM + b"\r\n",
    FROM + b"\r\n\r\n\r\n",
    FROM + b"\r\n \r\n",
    FROM + b"\r\n\t\r\n \t\r\n\r\n",
    FROM + b"\r\ntext\r\n \r\n",
    FROM + b"\r\ntext\r\n\r\n\t\r\n\r\n",
    FROM + b"\r\ntext \t\r\n  two  words\t \r\n \r\n\r\n",
    FROM + b"\r\n\r\n \r\ntext\r\n",
    FROM + b"\r\n C \r\nD \t E\r\n\r\n\r\n",
    FROM + b"\r\na\r\n \r\n \r\nb\r\n",
    # Fields
    FROM + b"Subject : x\r\nTo :\tbob@example.net\r\n\r\ntext\r\n",
    FROM + b"Subject:\r\n folded\r\n\t once  more \r\nTo:\r\nCc: \t\r\n\r\ntext\r\n",
    b"Subject: 1\r\n" + FROM + b"Subject: 2\r\nX: y\r\nSubject: 3\r\n\r\ntext\r\n",
    b"FROM: Ann <ann@example.org>\r\nSUBJECT: Hi THERE\r\nx-a:b\r\n\r\ntext\r\n",
    FROM + "Subject: b\u00fccher\u00a0 x\r\n\r\nb\u00fccher \t \r\n".encode(),
]
FORMS = [(b"simple", b"simple"), (b"simple", b"relaxed"), (b"relaxed", b"simple"), (b"relaxed", b"relaxed")]


def rsa_key(bits, folder):
    pem = folder + f"/{bits}.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", pem, str(bits)], check=True, capture_output=True)
    der = subprocess.run(["openssl", "rsa", "-in", pem, "-pubout", "-outform", "DER"], check=True, capture_output=True)
    return open(pem, "rb").read(), "v=DKIM1; k=rsa; p=" + base64.b64encode(der.stdout).decode()


def ed25519_key():
    key = nacl.signing.SigningKey.generate()
    return base64.b64encode(key.encode()), "v=DKIM1; k=ed25519; p=" + base64.b64encode(key.verify_key.encode()).decode()


def by_dkimpy(message, key, forms, algorithm):
    # Each name once more than it occurs; some that are not there.
    names = [line.split(b":")[0].strip().lower() for line in message.split(b"\r\n\r\n")[0].split(b"\r\n") if b":" in line]
    names = sorted(names + [b"from", b"subject", b"cc", b"x-missing"])
    return dkim.sign(message, b"s", b"example.org", key, canonicalize=forms, signature_algorithm=algorithm,
                     include_headers=names) + message


def split(message):
    """The fields without their line ends, and the body."""
    head, body = message.split(b"\r\n\r\n", 1)
    fields = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    return fields, body


def by_opendkim(message, key, forms):
    library = ctypes.CDLL("libopendkim.so.11")
    for name in ("dkim_init", "dkim_sign"):
        getattr(library, name).restype = ctypes.c_void_p
    forms = [{b"simple": 0, b"relaxed": 1}[form] for form in forms]
    status = ctypes.c_int()
    context = ctypes.c_void_p(library.dkim_init(None, None))
    handle = ctypes.c_void_p(library.dkim_sign(
        context, b"id", None, key, b"s", b"example.org", forms[0], forms[1], 1, ctypes.c_longlong(-1),
        ctypes.byref(status)))
    assert status.value == 0, status.value
    fields, body = split(message)
    for field in fields:
        assert library.dkim_header(handle, field, len(field)) == 0
    assert library.dkim_eoh(handle) == 0
    assert not body or library.dkim_body(handle, body, len(body)) == 0
    assert library.dkim_eom(handle, None) == 0
    buffer, length = ctypes.c_char_p(), ctypes.c_size_t()
    assert library.dkim_getsighdr_d(handle, ctypes.c_size_t(len("DKIM-Signature: ")), ctypes.byref(buffer), ctypes.byref(length)) == 0
    value = buffer.value[:length.value]
    # The library folds with LF alone, for mail filters to translate.
    value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return b"DKIM-Signature: " + value + b"\r\n" + message


def show(who, forms, record, message):
    print(who, b"/".join(forms).decode(), json.dumps(record), json.dumps(message.decode()))


def main():
    with tempfile.TemporaryDirectory() as folder:
        rsa, rsa_record = rsa_key(1024, folder)
        edwards, edwards_record = ed25519_key()
        for message in MESSAGES:
            for forms in FORMS:
                show("opendkim", forms, rsa_record, by_opendkim(message, rsa, forms))
                if b"Subject :" in message:
                    continue  # dkimpy does not read obsolete syntax
                if forms[0] == forms[1]:
                    show("dkimpy", forms, rsa_record, by_dkimpy(message, rsa, forms, b"rsa-sha256"))
                else:
                    show("dkimpy", forms, edwards_record, by_dkimpy(message, edwards, forms, b"ed25519-sha256"))
        for bits in (512, 768, 1016):
            key, record = rsa_key(bits, folder)
            show("weak", FORMS[3], record, by_dkimpy(MESSAGES[0], key, FORMS[3], b"rsa-sha256"))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Converts the test suite of openspf for RFC 7208 (`rfc7208-tests.yml`) into the form of `vectors.toml`.

The suite is not in this repository. Needs PyYAML:

    crates/spf/tests/openspf.py rfc7208-tests.yml > /tmp/openspf.toml
    SPF_SUITE=/tmp/openspf.toml cargo test -p spf --test vectors -- --ignored
"""

import json
import sys

import yaml


def strings(value):
    return [value] if isinstance(value, str) else value


def lines(owner, entries):
    """The records of a name. A record of type SPF stands for a TXT record too, unless the name has TXT entries."""
    has_texts = any(isinstance(entry, dict) and "TXT" in entry for entry in entries)
    for entry in entries:
        if entry == "TIMEOUT":
            yield [owner, "TIMEOUT"]
            continue
        ((kind, value),) = entry.items()
        if kind == "MX":
            yield [owner, kind, value[1]]
        elif kind == "TXT" and value == "NONE":
            pass
        else:
            yield [owner, kind, *strings(value)]
            if kind == "SPF" and not has_texts:
                yield [owner, "TXT", *strings(value)]


def text(value):
    """A TOML string: JSON escapes are valid there, but for surrogate pairs."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def main():
    for scenario in yaml.safe_load_all(open(sys.argv[1], "rb")):
        print("[[scenario]]\nrule =", text(scenario["description"]))
        zone = (line for owner, entries in scenario["zonedata"].items() for line in lines(owner, entries))
        print("zone = [", *("  [%s]," % ", ".join(map(text, line)) for line in zone), "]", sep="\n")
        print("vectors = [")
        for name, test in scenario["tests"].items():
            fields = {
                "name": name,
                "client": test["host"],
                "helo": test["helo"],
                "from": test["mailfrom"],
                "result": " or ".join(strings(test["result"])),
            }
            # The suite's word for an explanation of the checking host's own.
            if test.get("explanation", "DEFAULT") != "DEFAULT":
                fields["explanation"] = test["explanation"]
            print("  { %s }," % ", ".join(f"{key} = {text(value)}" for key, value in fields.items()))
        print("]\n")


main()

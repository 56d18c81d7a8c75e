#!/usr/bin/env python3
"""Reads the table of faults, and applies the fixes that the doctor prints.

faults.py rows TABLE ZONE-FILE WHERE...     the rows, a line each: finding, zone, changes, changes that tidy up
faults.py alone REPORT FINDING              exit status 0 when the report has that finding, once, and no other
faults.py fix REPORT FINDING ZONE           the lines of knsupdate by which its fix is applied in that zone
faults.py clean REPORT                      exit status 0 when the report has no finding
"""

import json
import sys

UNSEEN = "not-checked"  # there is no other host that connects during a check


def rows(table, zone_file, *wheres):
    owner = "mailstead-rsa._domainkey.example.org."
    lines = [line for line in open(zone_file) if line.startswith(owner)]
    first, second = lines[0].split('"')[1::2]
    rest = (first + second).replace("v=DKIM1; ", "", 1)
    stand_ins = {
        "@HEAD@": first, "@A@": first, "@B@": second, "@R1@": rest[:200], "@R2@": rest[200:], "@ZERO@": "00" * 32,
        "@REVERSE@": "10.100.51.198.in-addr.arpa.",
    }
    for line in open(table):
        if line.startswith("#") or not line.strip():
            continue
        for name, text in stand_ins.items():
            line = line.replace(name, text)
        where, finding, zone, plant, *tidy = line.rstrip("\n").split(" | ")
        if where in wheres:
            print("\t".join([finding, zone, plant, *tidy]))


def findings(report):
    return [finding for finding in json.load(open(report))["findings"] if finding["id"] != UNSEEN]


def fix(report, wanted, zone):
    (found,) = [finding for finding in findings(report) if finding["id"] == wanted]
    verb = None
    for line in found["fix"].splitlines():
        owner, is_record, content = line.partition(" IN ")
        name = owner.split(" ")[0]
        if not is_record:
            verb = "delete" if line.endswith("remove") else "add" if line.endswith("publish") else verb
        elif name == f"{zone}." or name.endswith(f".{zone}."):
            print(f"update {verb} {name} {'2 ' if verb == 'add' else ''}{content}")


def main(verb, *arguments):
    if verb == "rows":
        rows(*arguments)
    elif verb == "fix":
        fix(*arguments)
    elif verb == "alone":
        report, wanted = arguments
        return [finding["id"] for finding in findings(report)] != [wanted]
    elif verb == "clean":
        return findings(*arguments) != []
    return 0


sys.exit(main(*sys.argv[1:]))

"""Compares the privileges that the engine gives a container with those that README.md lists.

Usage: promises.py README  (the container's `docker inspect` on standard input)
"""
import json
import re
import sys

readme = open(sys.argv[1]).read()
container = json.load(sys.stdin)[0]
host = container["HostConfig"]
wrong = []


def promised(row):
    """The words in backquotes of that row of README's table."""
    line = re.search(rf"^\| {row} \|(.*)\|$", readme, re.MULTILINE)
    assert line, f"README has no row {row!r}"
    return re.findall(r"`([^`]+)`", line[1])


def same(what, found, expected):
    if found != expected:
        wrong.append(f"{what}: promised {expected}, found {found}")


same("network", host["NetworkMode"], *promised("network"))
same("root file system", host["ReadonlyRootfs"], True)
same("scratch space", sorted(host["Tmpfs"]), sorted(promised("scratch space in memory")))
same("volume", [(mount["Type"], mount["Destination"]) for mount in container["Mounts"]], [("volume", *promised("volume"))])
same("dropped", host["CapDrop"], ["ALL"])
same("capabilities", sorted(name.removeprefix("CAP_") for name in host["CapAdd"]), sorted(promised("capabilities")))
same("privileges", host["SecurityOpt"], promised("security options"))
same("privileged", host["Privileged"], False)
same("devices", host["Devices"] or [], [])
same("the engine's own init", bool(host["Init"]), False)
same("others' processes", (host["PidMode"], host["UsernsMode"]), ("", ""))
same("restart", host["RestartPolicy"]["Name"], *promised("restart"))
same("grace to stop", f"{container['Config']['StopTimeout']}s", *promised("grace to stop"))
print("\n".join(wrong))
sys.exit(bool(wrong))

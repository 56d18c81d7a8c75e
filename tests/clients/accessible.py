"""What assistive technology sees of a GTK program's windows (AT-SPI)."""

import subprocess
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

from desktop import click, until  # noqa: E402


def everything(program):
    """All that a program shows now, from its windows inwards."""
    desktop = Atspi.get_desktop(0)
    for number in range(desktop.get_child_count()):
        application = desktop.get_child_at_index(number)
        if application and application.get_name() == program:
            for window in range(application.get_child_count()):
                yield from _shown(application.get_child_at_index(window))


def _shown(node):
    try:
        if not node or not node.get_state_set().contains(Atspi.StateType.SHOWING):
            return
        yield node
        children = [node.get_child_at_index(number) for number in range(node.get_child_count())]
    except GLib.Error:
        return  # it has gone meanwhile
    for child in children:
        yield from _shown(child)


def find(program, role, name=None):
    """The first thing of that role that is shown, with that name if one is asked for."""

    def matches(node):
        try:
            return node.get_role_name() == role and (name is None or node.get_name() == name)
        except GLib.Error:
            return False

    return next((node for node in everything(program) if matches(node)), None)


def names(program, role):
    """The names of all that is shown in that role."""
    found = []
    for node in everything(program):
        try:
            if node.get_role_name() == role and node.get_name():
                found.append(node.get_name())
        except GLib.Error:
            pass
    return found


def texts(program):
    """All texts that are shown, in one string: as a new process sees them, since an old one learns of no page that a
    program shows later."""
    shown = [sys.executable, "-B", "-W", "ignore", __file__, program]
    return subprocess.run(shown, capture_output=True, text=True, check=False).stdout


def _texts(program):
    found = []
    for node in everything(program):
        try:
            text = node.get_text_iface()
            found += [node.get_name(), Atspi.Text.get_text(text, 0, -1) if text else ""]
        except GLib.Error:
            pass
    return "\n".join(filter(None, found))


def press_on(program, role, name=None, height=None):
    """Clicks the middle of a thing, or that far below its upper edge, once it is shown and can be used."""

    def place():
        node = find(program, role, name)
        if not node or not node.get_state_set().contains(Atspi.StateType.SENSITIVE):
            return None
        box = Atspi.Component.get_extents(node, Atspi.CoordType.SCREEN)
        return (box.x + box.width / 2, box.y + (height or box.height / 2)) if box.width > 0 and box.x >= 0 else None

    click(*until(place, f"{role} {name or ''} can be clicked"))


if __name__ == "__main__":
    print(_texts(sys.argv[1]))

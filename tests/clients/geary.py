"""Geary, as a person sets it up and uses it."""

import os

from accessible import find, names, press_on, texts
from desktop import play, press, titles, until, write

NAME, ADDRESS, PASSWORD = (os.environ[f"MAIL_{word}"] for word in ("NAME", "ADDRESS", "PASSWORD"))
COLLEAGUE = "bob@example.org"
GEARY = "geary"
FOLDERS = ["Inbox", "Drafts", "Sent", "Archive", "Junk", "Trash"]


def find_settings():
    press_on(GEARY, "push button", "Add")
    until(lambda: find(GEARY, "dialog", "Add an account"), "it asks for the name")
    press("ctrl+a")
    write(NAME)
    press("Tab")
    write(ADDRESS)
    press_on(GEARY, "push button", "Next")
    until(lambda: find(GEARY, "password text"), "it asks for the password")
    # Where it has found no settings, it asks for the names of both servers.
    asked = names(GEARY, "label")
    assert not [label for label in asked if "server" in label.lower()], asked


def set_up():
    press_on(GEARY, "password text")
    write(PASSWORD)
    press_on(GEARY, "push button", "Create")
    until(lambda: find(GEARY, "dialog", "Accounts"), "the account is made")
    assert ADDRESS in names(GEARY, "label"), names(GEARY, "label")
    press_on(GEARY, "push button", "Close")


def no_questions():
    """Neither a second window nor a bar with a problem."""
    bars = [bar for role in ("info bar", "alert") for bar in names(GEARY, role)]
    assert not bars, texts(GEARY)
    asked = [title for title in titles() if "ertificate" in title or "assword" in title]
    assert not asked, asked


def shows_folders():
    def all_shown():
        shown = names(GEARY, "table cell")
        return all(any(name.startswith(folder) for name in shown) for folder in FOLDERS)

    until(all_shown, f"all of {FOLDERS} are shown")


def opens_first():
    if "for-geary" in texts(GEARY):
        return True
    press_on(GEARY, "table", height=30)
    try:
        return until(lambda: "for-geary" in texts(GEARY), "it is open", seconds=5)
    except TimeoutError:
        return False


def read():
    press_on(GEARY, "table cell", "Inbox")
    # It draws the conversations itself, and what is clicked before that is not there: so it is clicked again.
    until(opens_first, "the message is open")
    # Its text is a page of WebKit, which assistive technology does not always see: the picture of this step has it.


def send():
    press("ctrl+n")
    until(lambda: find(GEARY, "frame", "New Message"), "it asks for a message")
    write(COLLEAGUE)
    press("Tab", "Tab")  # past the button for more fields
    write("from-geary")
    press("Tab")
    write("Written in a window.")
    press_on(GEARY, "push button", "Send")
    until(lambda: not find(GEARY, "push button", "Send"), "the message is being sent")


play(
    "geary",
    [
        ("the server's settings are found from the address", find_settings),
        ("a password is enough", set_up),
        ("it shows the folders, each for its purpose", shows_folders),
        ("it has asked nothing else", no_questions),
        ("it shows a message", read),
        ("it sends a message", send),
        ("it has asked nothing since", no_questions),
    ],
)

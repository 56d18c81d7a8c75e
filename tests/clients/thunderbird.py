"""Thunderbird, as a person sets it up and uses it."""

import os

from desktop import click, play, press, titles, until, write
from marionette import Marionette

NAME, ADDRESS, PASSWORD = (os.environ[f"MAIL_{word}"] for word in ("NAME", "ADDRESS", "PASSWORD"))
COLLEAGUE = "bob@example.org"

# The first element that is seen and matches, through all shadow trees.
FIND = """
const find = tree => {
  for (const element of tree.querySelectorAll("*")) {
    if (element.matches(wanted) && element.checkVisibility() && element.getBoundingClientRect().width > 0) return element;
    const inner = element.shadowRoot && find(element.shadowRoot);
    if (inner) return inner;
  }
  return null;
};
const found = find(document);
"""
PANE = "const pane = document.getElementById('tabmail').currentAbout3Pane;"
MAIL = "chrome://messenger/content/messenger.xhtml"
COMPOSE = "chrome://messenger/content/messengercompose/messengercompose.xhtml"

program = Marionette()


def to_window(address):
    """Switches to the window with that address, once there is one."""

    def found():
        return next((handle for handle, _, at in program.windows() if at == address), None)

    program.send("WebDriver:SwitchToWindow", handle=until(found, f"there is {address}"), focus=True)


def see(selector):
    """Waits for an element, and returns its reference."""
    script = f"const wanted = arguments[0]; {FIND} return found && !found.disabled ? found : null;"
    return until(lambda: program.run(script, selector), f"{selector} is seen")


def text_of(selector):
    """The text of an element that is seen."""
    see(selector)
    return program.run(f"const wanted = arguments[0]; {FIND} return found.textContent.trim();", selector)


def click_on(script):
    """Clicks the element that a script returns, wherever its page lies in the window."""
    place = f"""
const element = (() => {{ {script} }})();
if (!element) return null;
const box = element.getBoundingClientRect(), view = element.ownerDocument.defaultView;
if (!box.width) return null;
return [view.mozInnerScreenX + box.left + Math.min(box.width / 2, 60), view.mozInnerScreenY + box.top + box.height / 2];
"""
    click(*until(lambda: program.run(place), f"there is an element to click: {script}"))


def find_settings():
    to_window(MAIL)
    name = see("#realName")
    program.clear(name)
    program.type(name, NAME)
    program.type(see("#email"), ADDRESS)
    program.click(see("#forward"))
    found = {name: text_of(f"#{name}") for name in ("incomingHost", "incomingPort", "outgoingHost", "outgoingPort")}
    expected = {
        "incomingHost": "mail.example.org",
        "incomingPort": "993",
        "outgoingHost": "mail.example.org",
        "outgoingPort": "465",
    }
    assert found == expected, found
    assert text_of("#sharedSocketType") == "SSL/TLS", text_of("#sharedSocketType")
    assert text_of("#sharedUsername") == ADDRESS, text_of("#sharedUsername")


def set_up():
    program.click(see("#forward"))
    program.type(see("#password"), PASSWORD)
    program.click(see("#forward"))
    see("#accountHubSignatureLink")


def finish():
    program.click(see("#forward"))
    until(lambda: folders()[:1], "there are folders")


def no_questions():
    """The windows that a setup without a fault leaves are the program's own."""
    asked = [title for title in titles() if "Exception" in title or "Security" in title]
    asked += [address for _, _, address in program.windows() if address != MAIL]
    assert not asked, asked
    to_window(MAIL)


def folders():
    """The names in the folder tree."""
    return program.run(PANE + "return [...pane.document.querySelectorAll('#folderTree li .name')].map(e => e.textContent)")


def shows_folders():
    wanted = ["Inbox", "Drafts", "Sent", "Archives", "Spam", "Trash"]
    until(lambda: set(wanted) <= set(folders()), f"all of {wanted} are shown")
    listed = folders()
    assert [name for name in listed[: len(wanted) + 1] if name in wanted] == wanted, listed


def open_inbox():
    click_on(PANE + "return [...pane.document.querySelectorAll('#folderTree li .name')].find(e => e.textContent == 'Inbox')")
    subject = "[...pane.document.querySelectorAll('#threadTree tbody tr')].find(e => e.textContent.includes('for-thunderbird'))"
    click_on(f"{PANE} return {subject}")


def read():
    script = PANE + """
const browser = pane.messageBrowser.contentWindow.getMessagePaneBrowser();
return browser.contentDocument?.body?.innerText.trim();
"""
    until(lambda: program.run(script) == "Hello from elsewhere.", "the text is shown")


def send():
    click_on(PANE + "return pane.document.getElementById('folderPaneWriteMessage')")
    to_window(COMPOSE)
    program.click(see("#toAddrInput"))
    write(COLLEAGUE)
    press("Tab")
    program.click(see("#msgSubject"))
    write("from-thunderbird")
    press("Tab")
    write("Written in a window.")
    program.click(see("#button-send"))
    until(lambda: all(address != COMPOSE for _, _, address in program.windows()), "the message is sent")
    to_window(MAIL)


play(
    "thunderbird",
    [
        ("the server's settings are found from the address", find_settings),
        ("a password is enough", set_up),
        ("the account is made", finish),
        ("it has asked nothing else, such as for an exception", no_questions),
        ("it shows the folders, each for its purpose", shows_folders),
        ("it opens the inbox and a message", open_inbox),
        ("it shows the message's text", read),
        ("it sends a message", send),
        ("it has asked nothing since", no_questions),
    ],
)

"""A day's work in Roundcube: reading, answering with an attachment, filing, searching, folders, drafts, deleting."""

import os

from desktop import play, until
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ADDRESS, PASSWORD = os.environ["MAIL_ADDRESS"], os.environ["MAIL_PASSWORD"]
COLLEAGUE = "bob@example.org"
ATTACHMENT = os.path.join(os.environ["HOME"], "plan.txt")

options = webdriver.ChromeOptions()
for argument in ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--window-size=1270,880"):
    options.add_argument(argument)
browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def see(selector):
    """Waits until an element is seen that can be used, and returns it."""

    def found():
        try:
            return next(
                (e for e in browser.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed() and e.is_enabled()), None
            )
        except StaleElementReferenceException:
            return None

    return until(found, f"{selector} is seen")


def click(selector):
    """Clicks an element, once nothing lies before it."""

    def clicked():
        try:
            see(selector).click()
            return True
        except Exception as error:
            if "intercepted" in str(error) or "stale" in str(error) or "not interactable" in str(error):
                return False
            raise

    until(clicked, f"{selector} is clicked")


def idle():
    """Waits until Roundcube waits for the person."""
    until(lambda: browser.execute_script("return window.rcmail && !rcmail.busy && !document.querySelector('#messagestack .loading')"), "it waits")


def complaints():
    """The errors and warnings that are shown."""
    shown = browser.find_elements(By.CSS_SELECTOR, "#messagestack .error, #messagestack .warning")
    return [e.text for e in shown if e.is_displayed()]


def subjects():
    """The subjects in the list."""
    idle()
    return browser.execute_script(
        "return [...document.querySelectorAll('#messagelist tbody tr')].filter(e => e.offsetHeight)"
        ".map(e => e.querySelector('.subject a').textContent.trim())"
    )


def in_frame(selector, work):
    """Does something within a frame."""
    frame = see(selector)
    browser.switch_to.frame(frame)
    try:
        return work()
    finally:
        browser.switch_to.default_content()


def folder(name):
    """Opens a folder."""
    click(f"#mailboxlist a[rel='{name}']")
    idle()
    until(lambda: browser.execute_script("return rcmail.env.mailbox") == name, f"{name} is open")


def in_list(selector, text):
    """The first element of these that has the text."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return next((e for e in found if e.is_displayed() and text in e.text), None)


def select(subject):
    """Clicks a message in the list, which shows it beside."""

    def row():
        return browser.execute_script(
            "return [...document.querySelectorAll('#messagelist tbody tr')].find(e => e.textContent.includes(arguments[0]))", subject
        )

    until(row, f"{subject} is listed").find_element(By.CSS_SELECTOR, ".subject a").click()
    idle()


def log_in():
    browser.get("http://127.0.0.1:8000/")
    see("#rcmloginuser").send_keys(ADDRESS)
    see("#rcmloginpwd").send_keys(PASSWORD)
    click("#rcmloginsubmit")
    see("#mailboxlist")
    idle()
    assert not complaints(), complaints()


def shows_folders():
    listed = [e.text.split("\n")[0] for e in browser.find_elements(By.CSS_SELECTOR, "#mailboxlist > li > a")]
    assert listed == ["Inbox", "Drafts", "Sent", "Junk", "Trash", "Archive"], listed


def read():
    select("for-roundcube")
    text = in_frame("#messagecontframe", lambda: see("#messagebody").text)
    assert "Hello from elsewhere." in text, text


def answer():
    with open(ATTACHMENT, "w", encoding="utf-8") as file:
        file.write("The plan: größer.\n" * 1000)
    click("#taskmenu a.compose")
    to = see("#compose_to .recipient-input input, #compose_to input")
    to.send_keys(COLLEAGUE, Keys.TAB)
    see("#compose-subject").send_keys("from-roundcube größer")
    see("#composebody").send_keys("Written in a browser. Grüße!")
    browser.find_element(By.CSS_SELECTOR, "input[type=file][name^=_attachments]").send_keys(ATTACHMENT)
    until(lambda: "plan.txt" in browser.find_element(By.CSS_SELECTOR, "#attachment-list").text, "the file is attached")
    idle()
    click("button.send, a.send")
    see("#messagelist")
    idle()
    assert not complaints(), complaints()


def sent():
    folder("Sent")
    until(lambda: any("from-roundcube größer" in subject for subject in subjects()), "it is in Sent")
    select("from-roundcube")
    found = in_frame("#messagecontframe", lambda: (see("#messagebody").text, see("#attachment-list, .attachmentslist").text))
    assert "Grüße!" in found[0] and "plan.txt" in found[1], found


def draft():
    click("#taskmenu a.compose")
    see("#compose-subject").send_keys("a thought")
    see("#composebody").send_keys("Not yet.")
    click("a.save.draft, #layout-content a.draft, a.save")
    until(lambda: browser.execute_script("return rcmail.env.draft_id"), "the draft is saved")
    idle()
    assert not complaints(), complaints()
    click("#taskmenu a.mail")
    folder("Drafts")
    assert subjects() == ["a thought"], subjects()


def new_folder():
    click("#taskmenu a.settings")
    click("#settings-menu a[href*='folders']")
    click("#layout-list a.create, #layout-content a.create")
    in_frame("#preferences-frame", lambda: (see("#_name").send_keys("Büro & Co"), click("button.submit")))
    until(lambda: "Büro & Co" in see("#subscription-table").text, "the folder is listed")
    assert not complaints(), complaints()


def move():
    click("#taskmenu a.mail")
    folder("INBOX")
    select("for-roundcube")
    click("#layout-content a.more")
    click("#message-menu a.move")
    until(lambda: in_list("#folder-selector a", "Büro & Co"), "the new folder is offered").click()
    idle()
    until(lambda: "for-roundcube" not in subjects(), "it has left the inbox")
    folder("B&APw-ro &- Co")
    until(lambda: subjects() == ["for-roundcube"], "it has arrived")
    assert not complaints(), complaints()


def search():
    folder("INBOX")
    field = see("#mailsearchform")
    field.send_keys("needle", Keys.RETURN)
    until(lambda: subjects() == ["needle in a haystack"], "one is found")
    click("#searchform a.reset, .searchbar a.reset")
    until(lambda: len(subjects()) > 1, "all are shown again")


def flag():
    select("needle")
    click("#layout-content a.markmessage")
    click("#markmessage-menu a.flag")
    idle()
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#messagelist tbody tr.flagged"), "it has a flag")
    assert not complaints(), complaints()


def archive():
    select("needle")
    click("#layout-content a.archive, #layout-list a.archive")
    until(lambda: all("needle" not in subject for subject in subjects()), "it has left the inbox")
    assert not complaints(), complaints()


def delete():
    select("no longer needed")
    click("#layout-content a.delete, #layout-list a.delete")
    until(lambda: all("no longer" not in subject for subject in subjects()), "it has left the inbox")
    folder("Trash")
    assert subjects() == ["no longer needed"], subjects()
    assert not complaints(), complaints()


def log_out():
    click("#taskmenu a.logout")
    see("#rcmloginuser")


try:
    play(
        "roundcube",
        [
            ("an address and a password open the mailbox", log_in),
            ("it shows the folders, each for its purpose", shows_folders),
            ("it shows a message", read),
            ("it sends a message with an attachment", answer),
            ("a copy is in Sent", sent),
            ("it keeps a draft", draft),
            ("it makes a folder with an umlaut and an ampersand", new_folder),
            ("a message is moved into it", move),
            ("a search finds one message", search),
            ("a message is flagged", flag),
            ("a message is archived", archive),
            ("a message is deleted", delete),
            ("it ends the session", log_out),
        ],
    )
finally:
    browser.quit()

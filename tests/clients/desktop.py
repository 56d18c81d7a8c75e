"""What a person at the desktop does: looks, clicks, types. The steps of a client are counted as checks."""

import os
import subprocess
import time
import traceback

SECONDS = 60  # longer than a client takes for any step on a busy machine


def until(condition, name, seconds=SECONDS):
    """Waits until the condition returns something true, and returns that."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"timed out waiting until {name}")
        time.sleep(0.2)
    return found


def click(x, y):
    """Clicks a place of the screen."""
    subprocess.run(["xdotool", "mousemove", str(round(x)), str(round(y)), "click", "1"], check=True)


def write(text):
    """Types text into what has the focus, no faster than a person: Geary completes addresses while it is typed to."""
    subprocess.run(["xdotool", "type", "--delay", "120", text], check=True)


def press(*keys):
    """Presses keys, such as `ctrl+a`, one after another."""
    subprocess.run(["xdotool", "key", "--delay", "40", *keys], check=True)


def picture(name):
    """Saves a picture of the screen."""
    subprocess.run(["import", "-window", "root", os.path.join(os.environ["SCREENS"], f"{name}.png")], check=False)


def titles():
    """The titles of all windows on the screen."""
    found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "."], capture_output=True, text=True, check=False)
    lines = [
        subprocess.run(["xdotool", "getwindowname", window], capture_output=True, text=True, check=False).stdout.strip()
        for window in found.stdout.split()
    ]
    return sorted(set(filter(None, lines)))


def play(client, steps):
    """Plays the steps in their order and prints how each ends. Those behind a failure are not reached, and fail."""
    failed = False
    for number, (name, step) in enumerate(steps, 1):
        if failed:
            print(f"FAILED  {client}: {name} (not reached)", flush=True)
            continue
        try:
            step()
            print(f"ok      {client}: {name}", flush=True)
        except Exception:
            failed = True
            print(f"FAILED  {client}: {name}", flush=True)
            print("        " + traceback.format_exc().replace("\n", "\n        "), flush=True)
            print(f"        windows: {titles()}", flush=True)
        picture(f"{client}-{number}")

#!/usr/bin/env python3
"""Searches that strain the MDA, in a control group of 512 MB; and sessions that crowd one mailbox.

    bench/search.py memory  [--binary target/release/mailstead] [--limit 512] [--messages 4] [--size 45] [--searches 20]
    bench/search.py crowd   [--binary ...] [--sessions 80]
    bench/search.py soak    [--binary ...] [--rounds 5]

memory  20 searches of the bodies of four 45 MB messages at one time. Prints the peak of memory, whether the MDA lives, and the
        latency of another user's NOOP and SELECT meanwhile.
crowd   80 sessions that change one mailbox. Prints the median latency of another user's commands, without and with the crowd.
soak    logins, fetches, searches and deliveries over many mailboxes. Prints the memory in use before, at the peak and after a
        rest of ten seconds.

Starts an MDA of its own on loopback, in a scratch folder. Root, for the control group (version 1 or 2); without one the
process's own peak (VmHWM) is all that is printed. One JSON line as the result.
"""
import argparse, base64, imaplib, json, os, pathlib, random, shutil, signal, socket, ssl, statistics, subprocess, sys
import tempfile, threading, time

PASSWORD = "bench-password-1"
HOST = "mail.example.org"


def group(limit):
    """A memory control group with that limit in MB, where one can be made."""
    for root, knob, peak in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
                             ("/sys/fs/cgroup", "memory.max", "memory.peak")]:
        if not os.path.exists(root) or (root.endswith("cgroup") and not os.path.exists(root + "/cgroup.controllers")):
            continue
        own = next((line.strip().split(":", 2)[2] for line in open("/proc/self/cgroup")
                    if (":memory:" in line) == root.endswith("memory") and (":memory:" in line or line.startswith("0::"))), "/")
        for parent in [root + own, root]:
            folder = pathlib.Path(parent) / f"mailstead-search-{os.getpid()}"
            try:
                folder.mkdir()
                (folder / knob).write_text(str(limit << 20))
                return folder, folder / peak
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
    return None, None


class Mda:
    """A running MDA."""

    def __init__(self, binary, limit, users):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mailstead-search-"))
        self.users = users
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", self.folder / "key.pem",
                        "-out", self.folder / "cert.pem"], check=True, capture_output=True)
        secret = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout.strip()
        accounts = 'domains = ["example.org"]\n'
        for user in users:
            accounts += f'\n[[users]]\naddress = "{user}@example.org"\nsecret = "{secret}"\n'
        (self.folder / "accounts.toml").write_text(accounts)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.folder / "mda.toml").write_text(
            f'hostname = "{HOST}"\naccounts = "{self.folder}/accounts.toml"\nmail = "{self.folder}/mail"\nindex = "{self.folder}/index"\n'
            f'[listen]\nimaps = ["127.0.0.1:{self.port}"]\nlmtp = "{self.folder}/lmtp.sock"\n'
            f'[tls]\ncertificate = "{self.folder}/cert.pem"\nkey = "{self.folder}/key.pem"\n'
            '[limits]\nconnections_per_address = 0\n')
        self.group, self.peak_file = group(limit) if limit else (None, None)
        enter = (lambda: (self.group / "cgroup.procs").write_text(str(os.getpid()))) if self.group else None
        log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([binary, "mda", "--config", self.folder / "mda.toml"], stdout=log, stderr=log, preexec_fn=enter)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("the MDA did not start:\n" + (self.folder / "log").read_text())
                time.sleep(0.1)
        sys.exit("the MDA does not listen")

    def session(self, user):
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        context.check_hostname = False
        imap = imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=context, timeout=1800)
        imap.login(f"{user}@example.org", PASSWORD)
        return imap

    def memory(self):
        """Resident memory and its peak, in MB."""
        status = (pathlib.Path("/proc") / str(self.process.pid) / "status").read_text()
        value = lambda name: int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) // 1024
        return value("RssAnon:"), value("VmHWM:")

    def maildir(self, user):
        return self.folder / "mail/example.org" / user / "Maildir"

    def end(self):
        alive = self.process.poll() is None
        peak = int(self.peak_file.read_text()) >> 20 if self.peak_file else None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        if self.group:
            self.group.rmdir()
        shutil.rmtree(self.folder)
        return alive, peak


def message(megabytes, number):
    """A message of that size: half of it text in quoted-printable, half of it HTML in base64, in 1 MB parts."""
    random.seed(number)
    words = ["Gr=C3=BC=C3=9Fe", "meeting", "caf=C3=A9", "report", "invoice", "=E4=BD=A0=E5=A5=BD", "tomorrow", "please"]
    def quoted():
        line = " ".join(random.choices(words, k=6)) + "\r\n"
        return line * ((1 << 20) // len(line))
    def html():
        text = ("<p>" + " ".join(random.choices(["Gr&uuml;&szlig;e", "<b>meet</b>ing", "caf\u00e9"], k=8)) + "</p>\n").encode()
        return base64.encodebytes(text * ((1 << 20) * 3 // 4 // len(text))).decode().replace("\n", "\r\n")
    out = [f"From: ann@example.org\r\nSubject: large {number}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"]
    for part in range(megabytes):
        kind, encoding, body = ("plain", "quoted-printable", quoted) if part % 2 else ("html", "base64", html)
        out.append(f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body()}\r\n")
    out.append("--b--\r\n")
    return "".join(out).encode()


def put(maildir, octets, number):
    (maildir / "cur" / f"17000000{number:02}.M1P{number}.host,S={len(octets)},W={len(octets)}:2,").write_bytes(octets)


def latency(mda, user, until, commands=None):
    """Latencies of another user's commands in milliseconds, until the event."""
    imap = mda.session(user)
    imap.select()
    took = []
    while not until.is_set() and (commands is None or len(took) < commands):
        begin = time.monotonic()
        imap.select()
        imap.noop()
        imap.search(None, "SUBJECT", "nothing")
        took.append((time.monotonic() - begin) * 1000 / 3)
        time.sleep(0.02)
    imap.logout()
    return took


def summary(took):
    took = sorted(took) or [0]
    return {"median_ms": round(statistics.median(took), 1), "worst_ms": round(took[-1], 1), "commands": 3 * len(took)}


def memory(options):
    mda = Mda(options.binary, options.limit, ["ann", "bob"])
    mda.session("ann").logout()
    for number in range(options.messages):
        put(mda.maildir("ann"), message(options.size, number), number)
    done, errors, found = threading.Event(), [], []
    def search(number):
        try:
            imap = mda.session("ann")
            imap.select()
            # Nothing in it, so that every message is read to its end.
            found.append(imap.uid("SEARCH", "CHARSET", "UTF-8", "OR", "BODY", f'"nowhere {number}"', "TEXT", '"large 0"'))
            imap.logout()
        except Exception as error:
            errors.append(repr(error))
    others = []
    watcher = threading.Thread(target=lambda: others.extend(latency(mda, "bob", done)))
    begin = time.monotonic()
    searches = [threading.Thread(target=search, args=(number,)) for number in range(options.searches)]
    [thread.start() for thread in searches]
    watcher.start()
    [thread.join() for thread in searches]
    took = time.monotonic() - begin
    done.set()
    watcher.join()
    anonymous, peak_of_process = mda.memory() if mda.process.poll() is None else (None, None)
    alive, peak_of_group = mda.end()
    return {"case": "memory", "alive": alive, "errors": errors, "answers": len(found), "right": all(f[1] == [b"1"] for f in found),
            "seconds": round(took, 1), "process_peak_mb": peak_of_process, "anonymous_after_mb": anonymous,
            "group_peak_mb_with_page_cache": peak_of_group, "group_limit_mb": options.limit, "others": summary(others)}


def crowd(options):
    mda = Mda(options.binary, None, ["ann", "bob"])
    ann = mda.session("ann")
    for number in range(50):
        ann.append("INBOX", None, None, b"Subject: %d\r\n\r\nx\r\n" % number)
    ann.logout()
    never, done = threading.Event(), threading.Event()
    alone = latency(mda, "bob", never, options.commands)
    def change(number):
        imap = mda.session("ann")
        imap.select()
        while not done.is_set():
            imap.store("1:*", "+FLAGS" if number % 2 else "-FLAGS", f"(\\Flagged kw{number % 10})")
            imap.append("INBOX", None, None, b"Subject: more\r\n\r\nx\r\n")
        imap.logout()
    sessions = [threading.Thread(target=change, args=(number,), daemon=True) for number in range(options.sessions)]
    [thread.start() for thread in sessions]
    time.sleep(5)
    crowded = latency(mda, "bob", never, options.commands)
    threads = len(os.listdir(f"/proc/{mda.process.pid}/task"))
    done.set()
    [thread.join(60) for thread in sessions]
    mda.end()
    return {"case": "crowd", "sessions": options.sessions, "alone": summary(alone), "crowded": summary(crowded), "threads": threads}


def soak(options):
    users = [f"u{number}" for number in range(40)]
    mda = Mda(options.binary, None, users)
    before = mda.memory()[0]
    texts = [message(1, number) for number in range(4)]
    def use(user):
        imap = mda.session(user)
        imap.select()
        for text in texts:
            imap.append("INBOX", None, None, text)
        imap.fetch("1:*", "(FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        imap.fetch("1:2", "(BODY.PEEK[])")
        imap.search(None, "BODY", "nowhere")
        imap.logout()
    for _ in range(options.rounds):
        threads = [threading.Thread(target=use, args=(user,)) for user in users]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    at_end, peak = mda.memory()
    time.sleep(10)
    after = mda.memory()[0]
    mda.end()
    return {"case": "soak", "anonymous_before_mb": before, "anonymous_at_end_mb": at_end, "anonymous_after_rest_mb": after, "peak_mb": peak}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("case", choices=["memory", "crowd", "soak"])
parser.add_argument("--binary", default="target/release/mailstead")
for name, default in [("limit", 512), ("messages", 4), ("size", 45), ("searches", 20), ("sessions", 80), ("rounds", 5), ("commands", 30)]:
    parser.add_argument(f"--{name}", type=int, default=default)
options = parser.parse_args()
print(json.dumps({"memory": memory, "crowd": crowd, "soak": soak}[options.case](options)))

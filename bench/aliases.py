#!/usr/bin/env python3
"""The time that many aliases cost at a start, a reload, a plan, a command and a RCPT.

    bench/aliases.py [--binary target/release/mailstead] [--count 100000] [--shape flat|chain]

flat    each alias forwards to one user
chain   each alias forwards to the next one, the last to a user

Runs the whole server as process 1 of namespaces of its own, on a volume in a scratch folder. Needs root, and the packages
util-linux, iproute2 and curl. Prints one JSON line: seconds, and the largest memory of each process in MB.
"""
import argparse, json, os, pathlib, shutil, signal, subprocess, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CAPABILITIES = "-all," + ",".join("+" + name for name in ["net_bind_service", "setuid", "setgid", "setpcap", "chown", "kill",
                                                          "dac_read_search"])
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_DOMAIN": "example.org", "MAIL_USERS": "ann:correct-horse",
               "MAIL_ALIASES_FILE": "/data/aliases", "MAIL_DNS_SERVERS": "127.0.0.1:1", "MAIL_ACME_DIRECTORY": "none",
               "MAIL_CHECK_BLOCKLISTS": "none", "MAIL_CHECK_SMTP_HOST": "none"}
RCPT = """import smtplib, sys
with smtplib.SMTP("127.0.0.1", 25, "client.example.net", timeout=60) as smtp:
    smtp.ehlo()
    smtp.mail("x@example.net")
    sys.exit(smtp.rcpt(sys.argv[1])[0] != 250)"""
READY = ["curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8025/health/ready"]


class Server:
    def __init__(self, binary, folder):
        command = ["unshare", "--pid", "--fork", "--kill-child", "--net", "--mount", "--uts", "--ipc", "--", "sh",
                   ROOT / "tests/src/appliance/container.sh", folder / "root", folder / "volume",
                   pathlib.Path(binary).resolve(), folder / "etc", CAPABILITIES]
        self.begin = time.monotonic()
        self.outer = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=open(folder / "log", "ab"),
                                      stderr=subprocess.STDOUT)

    def children(self, pid):
        try:
            found = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return []
        return [child for pid in found for child in [int(pid), *self.children(int(pid))]]

    def processes(self):
        def program(pid):
            try:
                return os.readlink(f"/proc/{pid}/exe").endswith("mailstead")
            except OSError:
                return False
        return [pid for pid in self.children(self.outer.pid) if program(pid)]

    def enter(self, *arguments, namespaces=("--net",), **options):
        target = self.processes()[0]
        return subprocess.run(["nsenter", f"--target={target}", *namespaces, "--", *arguments], capture_output=True, **options)

    def command(self, *arguments):
        inside = ("--mount", "--pid", "--net", "--uts", "--ipc", "--root", "--wdns=/")
        return self.enter("/sbin/setpriv", "--bounding-set", CAPABILITIES, "--no-new-privs", "/bin/mailstead", *arguments,
                          namespaces=inside, env=ENVIRONMENT)

    def until(self, is_done):
        begin = time.monotonic()
        while not is_done():
            if self.outer.poll() is not None or time.monotonic() - begin > 600:
                raise SystemExit("the server ended, or nothing happened for ten minutes; see its log")
            time.sleep(0.05)
        return round(time.monotonic() - begin, 2)

    def ready(self):
        self.until(lambda: self.processes() and self.enter(*READY).stdout == b"200")
        return round(time.monotonic() - self.begin, 2)

    def accepts(self, recipient):
        return self.enter("python3", "-c", RCPT, recipient).returncode == 0

    def memory(self):
        peaks = [line for pid in self.processes() for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM")]
        return [int(line.split()[1]) >> 10 for line in peaks]

    def stop(self):
        os.kill(self.processes()[0], signal.SIGTERM)
        self.outer.wait(60)


def measure(options, folder):
    for name in ["root", "volume", "etc"]:
        (folder / name).mkdir()
    for name in ["passwd", "group"]:
        shutil.copy(ROOT / "image" / name, folder / "etc" / name)
    aliases = folder / "volume" / "aliases"
    last = options.count - 1
    target = lambda place: f"list-{place + 1}" if options.shape == "chain" and place < last else "ann"
    aliases.write_text("".join(f"list-{place}: {target(place)}\n" for place in range(options.count)))
    result = {"case": "aliases", "count": options.count, "shape": options.shape}
    server = Server(options.binary, folder)
    result["first_start_s"] = server.ready()
    server.stop()
    server = Server(options.binary, folder)
    result["start_s"] = server.ready()
    with aliases.open("a") as file:
        file.write("extra: ann\n")
    os.kill(server.processes()[0], signal.SIGHUP)
    result["reload_s"] = server.until(lambda: server.accepts("extra@example.org"))
    for name, arguments in [("plan_s", ["plan"]), ("command_s", ["alias", "add", "another", "ann@example.org"])]:
        begin = time.monotonic()
        run = server.command(*arguments)
        result[name] = round(time.monotonic() - begin, 2)
        if run.returncode != 0:
            raise SystemExit(f"{arguments[0]} failed: {run.stderr.decode()}")
    begin = time.monotonic()
    if not server.accepts("list-0@example.org"):
        raise SystemExit("mail to the first alias was refused")
    result["rcpt_s"] = round(time.monotonic() - begin, 2)
    result["memory_mb"] = server.memory()
    server.stop()
    return result


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--binary", default="target/release/mailstead")
parser.add_argument("--count", type=int, default=100_000)
parser.add_argument("--shape", choices=["flat", "chain"], default="flat")
with tempfile.TemporaryDirectory(prefix="mailstead-aliases-") as folder:
    print(json.dumps(measure(parser.parse_args(), pathlib.Path(folder))))

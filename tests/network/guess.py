"""Guesses a password many times at once, each guess over a separate connection.

Usage: guess.py HOST smtp|imap USER COUNT. Prints a line for each answer: after how many seconds, and the answer. Exit
status 0 if every guess was answered.
"""
import concurrent.futures
import imaplib
import smtplib
import ssl
import sys
import threading
import time

host, protocol, user, count = sys.argv[1:]
# The certificate is not verified: an attacker does not care.
context = ssl._create_unverified_context()
together = threading.Barrier(int(count))


def by_smtp():
    client = smtplib.SMTP_SSL(host, 465, "client.example.com", timeout=60, context=context)
    client.ehlo()

    def ask(password):
        client.user, client.password = user, password
        try:
            code, answer = client.auth("PLAIN", client.auth_plain)
        except smtplib.SMTPAuthenticationError as refusal:
            code, answer = refusal.args
        return f"{code} {answer.decode()}"

    return ask


def by_imap():
    client = imaplib.IMAP4_SSL(host, 993, ssl_context=context, timeout=60)

    def ask(password):
        try:
            return client.login(user, f'"{password}"')[0]
        except imaplib.IMAP4.error as refusal:
            return f"NO {refusal}"

    return ask


def guess(number):
    ask = {"smtp": by_smtp, "imap": by_imap}[protocol]()
    together.wait(60)
    begin = time.monotonic()
    answer = ask(f"guess {number}")
    return time.monotonic() - begin, answer


with concurrent.futures.ThreadPoolExecutor(int(count)) as guessers:
    for seconds, answer in guessers.map(guess, range(int(count))):
        print(f"{seconds:.1f} {answer}")

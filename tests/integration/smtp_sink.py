#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A mail server that takes everything: smtp_sink.py FOLDER

Says its port on stdout, writes each message to FOLDER/N.eml as it came (lines ended by a newline) and
its envelope to FOLDER/N.envelope, numbered from 1 in the order of their ends. While FOLDER/later
exists, messages are answered with 450.

While FOLDER/hold has the name of a stage, a dialogue stands still there, and FOLDER/held says so:
rcpt, data: before these commands are answered; message: when it is kept, before that is said; quit:
when that was said.
"""
import os
import socketserver
import sys
import threading
import time

folder = sys.argv[1]
lock = threading.Lock()
count = 0


def keep(envelope, lines):
    global count
    with lock:
        count += 1
        with open(f"{folder}/{count}.envelope", "w") as f:
            f.write("\n".join(envelope) + "\n")
        # the name appears when the message is whole
        with open(f"{folder}/{count}.part", "wb") as f:
            f.write(b"\n".join(lines) + b"\n")
        os.rename(f"{folder}/{count}.part", f"{folder}/{count}.eml")


def hold_at(stage):
    try:
        with open(f"{folder}/hold") as f:
            if f.read().strip() != stage:
                return
    except FileNotFoundError:
        return
    with open(f"{folder}/held", "w") as f:
        f.write(stage + "\n")
    while os.path.exists(f"{folder}/hold"):
        time.sleep(0.05)
    os.unlink(f"{folder}/held")


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def message(self):
        lines = []
        for line in self.rfile:
            line = line.rstrip(b"\r\n")
            if line == b".":
                return lines
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def handle(self):
        try:
            self.talk()
        except OSError:
            pass  # the other side is gone

    def talk(self):
        envelope = []
        self.say("220 sink")
        for line in self.rfile:
            command = line.decode("latin-1").strip()
            word = command[:4].upper()
            if word in ("MAIL", "RCPT"):
                envelope.append(command)
                if word == "RCPT":
                    hold_at("rcpt")
                self.say("250 ok")
            elif word == "DATA":
                hold_at("data")
                self.say("354 go on")
                lines = self.message()
                if lines is None:
                    return
                if os.path.exists(f"{folder}/later"):
                    self.say("450 later")
                else:
                    keep(envelope, lines)
                    hold_at("message")
                    self.say("250 kept")
                envelope = []
            elif word == "QUIT":
                hold_at("quit")
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Server(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()

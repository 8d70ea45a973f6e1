#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A mail server that takes everything: smtp_sink.py FOLDER

Says its port on stdout, writes each message to FOLDER/N.eml as it came (lines ended by a newline) and
its envelope to FOLDER/N.envelope, numbered from 1 in the order of their ends. While FOLDER/later
exists, messages are answered with 450.
"""
import os
import socketserver
import sys
import threading

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
        envelope = []
        self.say("220 sink")
        for line in self.rfile:
            command = line.decode("latin-1").strip()
            word = command[:4].upper()
            if word in ("MAIL", "RCPT"):
                envelope.append(command)
                self.say("250 ok")
            elif word == "DATA":
                self.say("354 go on")
                lines = self.message()
                if lines is None:
                    return
                if os.path.exists(f"{folder}/later"):
                    self.say("450 later")
                else:
                    keep(envelope, lines)
                    self.say("250 kept")
                envelope = []
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Server(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
